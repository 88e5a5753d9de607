package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// redis starts a Redis that keeps nothing on disk, with a database to spare for
// each test that runs at the same time.
func (f *fleet) redis(ctx context.Context, have programs) (string, error) {
	say("starting Redis from %s", have.redis)
	port, err := f.launch(ctx, "redis",
		func(port string) []string {
			return []string{
				have.redis, "--port", port, "--bind", "127.0.0.1", "--dir", f.dir,
				"--save", "", "--appendonly", "no", "--databases", "512", "--daemonize", "no",
			}
		},
		pong)
	if err != nil {
		return "", err
	}
	return "redis://127.0.0.1:" + port + "/0", nil
}

// pong tells whether a Redis on the port answers a ping.
func pong(ctx context.Context, port string) bool {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", "127.0.0.1:"+port)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return false
	}
	if _, err := fmt.Fprint(conn, "PING\r\n"); err != nil {
		return false
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && strings.HasPrefix(answer, "+PONG")
}
