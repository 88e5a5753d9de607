package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// performance is the playing of one request.
type performance struct {
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context // ends when the client leaves or the listener closes
	v       *vendor
	c       *conduct
	entry   *entry
	serial  uint64
	created int64
	abort   bool // the connection is to be broken
}

func (p *performance) play(path string) {
	d := p.v.dialect
	rt, prob := d.route(p.r, path)
	if prob == nil && !rt.open {
		prob = d.authorize(p.r)
	}
	if prob != nil {
		p.refuse(prob)
		return
	}
	if rt.list || rt.one || rt.read != nil {
		p.look(rt)
		return
	}
	body, prob := p.body()
	if p.ctx.Err() != nil {
		return
	}
	if prob != nil {
		p.refuse(prob)
		return
	}
	rt.signed = p.v.script.signed
	c, prob := d.parse(rt, body)
	if sc, prob := p.named(rt, c, body); prob != nil {
		p.refuse(prob)
		return
	} else if sc != nil {
		p.admitted(p.r.Header.Get(caseHeader), sc.call)
		p.perform(func() { p.scene(sc) }, sc.call)
		return
	}
	if prob == nil && !p.v.knows(c.model) {
		prob = d.unknownModel(c.api, c.model)
		prob.stream = c.stream && !c.array
	}
	if prob == nil && c.asks.complaints != "" {
		prob = bad(c.asks.complaints)
	}
	if prob != nil {
		p.refuse(prob)
		return
	}
	p.entry.admitted(c.model, c.stream)
	p.perform(func() { p.answer(c) }, c)
}

// admitted counts the playing of a named case.
func (p *performance) admitted(name string, c *call) {
	if c == nil {
		p.entry.admitted("case "+name, false)
		return
	}
	p.entry.admitted(c.model, c.stream)
}

// body reads the request's body, which must be a JSON value of the size that the vendor takes.
func (p *performance) body() ([]byte, *problem) {
	limit := p.v.dialect.maxBody()
	var b bytes.Buffer
	if n := p.r.ContentLength; n > 0 && n <= limit {
		b.Grow(int(n) + bytes.MinRead)
	}
	_, err := b.ReadFrom(http.MaxBytesReader(p.w, p.r.Body, limit))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &problem{status: http.StatusRequestEntityTooLarge, message: "Request exceeds the maximum size"}
	}
	if err != nil {
		p.entry.end(canceled)
		return nil, bad("the body could not be read")
	}
	if !json.Valid(b.Bytes()) {
		return nil, p.v.dialect.malformed(json.Unmarshal(b.Bytes(), new(any)))
	}
	return b.Bytes(), nil
}

// named gives the wire case that the request names, nil when it names none. In echo mode nothing is named.
func (p *performance) named(rt route, c *call, body []byte) (*scene, *problem) {
	if p.c.Mode != ModeScripted {
		return nil, nil
	}
	if c == nil { // the request is one that the vendor refuses, but may still name a case by header or model
		c = &call{model: rt.model}
		if c.model == "" {
			c.model = modelOf(body)
		}
	}
	name := p.v.script.name(p.r.Header, c)
	if name == "" {
		return nil, nil
	}
	if sc := p.v.script.named[name]; sc != nil {
		return sc, nil
	}
	return nil, bad("the simulator has no wire case named " + strconv.Quote(name))
}

func (p *performance) refuse(prob *problem) {
	if p.entry.outcome != pending {
		return
	}
	p.send(p.v.dialect.refuse(prob, p.serial), refused)
}

func (p *performance) models(rt route) {
	d := p.v.dialect
	if !rt.one {
		p.send(jsonReply(http.StatusOK, encode(d.models(p.v.list(), p.created, p.r.URL.Query()))), ok)
		return
	}
	if !p.v.knows(rt.model) {
		p.refuse(d.unknownModel(rt.api, rt.model))
		return
	}
	p.send(jsonReply(http.StatusOK, encode(d.one(rt.model, p.created))), ok)
}

// look answers a request that has no body: with the wire case that it names, or with what the vendor has.
func (p *performance) look(rt route) {
	sc, prob := p.named(rt, &call{}, nil)
	switch {
	case prob != nil:
		p.refuse(prob)
	case sc != nil:
		p.admitted(p.r.Header.Get(caseHeader), sc.call)
		p.perform(func() { p.scene(sc) }, sc.call)
	case rt.read != nil:
		p.read(rt)
	default:
		p.models(rt)
	}
}

// read answers without a body of the request.
func (p *performance) read(rt route) {
	r, prob := rt.read()
	if prob != nil {
		p.refuse(prob)
		return
	}
	p.send(r, ok)
}

// perform waits, fails and stalls as the behaviour says, and else answers.
func (p *performance) perform(answer func(), c *call) {
	status, key := *p.c.FailStatus, p.c.failsKey(p.r)
	fails := key != 0 || p.c.fails()
	if key != 0 {
		status = key
	}
	if !p.wait(p.c.latency(p.serial)) {
		return
	}
	switch {
	case fails && status == 0:
		p.reset()
	case fails:
		prob := p.v.dialect.failure(status)
		prob.retry = p.c.RetryAfter
		prob.stream = c != nil && c.stream && !c.array
		p.send(p.v.dialect.refuse(prob, p.serial), failed)
	case p.c.Stall && (c == nil || !c.stream):
		<-p.ctx.Done()
	default:
		answer()
	}
}

// answer makes the answer and sends it.
func (p *performance) answer(c *call) {
	echoes := p.c.Mode == ModeEcho
	if !echoes && !c.asks.given {
		if fitting := p.v.script.fit(c); len(fitting) > 0 {
			p.scene(fitting[p.c.turn(len(fitting))])
			return
		}
	}
	if c.direct != nil {
		p.whole(c.direct(&answer{serial: mix(p.serial), created: p.created}))
		return
	}
	if c.asks.breaks && !c.stream {
		p.send(p.v.dialect.refuse(p.v.dialect.failure(http.StatusInternalServerError), p.serial), failed)
		return
	}
	a := compose(c, p.v.display, echoes, p.c.turn)
	a.count(c, p.v.memory.Load())
	a.serial, a.created = mix(p.serial), p.created
	if !c.stream {
		p.whole(p.v.dialect.whole(c, a))
		return
	}
	header, pieces := p.v.dialect.stream(c, a)
	if c.asks.breaks {
		half := (len(pieces) + 1) / 2
		pieces = append(pieces[:half:half], p.v.dialect.broken(c, a, half)...)
		p.pieces(http.StatusOK, header, pieces, failed)
		return
	}
	p.pieces(http.StatusOK, header, pieces, ok)
}

// scene plays a wire case as it is.
func (p *performance) scene(sc *scene) {
	whole := reply{status: sc.Status, header: sc.header, body: sc.Body}
	switch {
	case sc.pieces != nil:
		p.pieces(sc.Status, sc.header, sc.pieces, ok)
	case sc.Status == http.StatusTooManyRequests || sc.Status >= 500:
		p.send(whole, failed)
	case sc.Status >= 400:
		p.send(whole, refused)
	default:
		p.whole(whole)
	}
}

// wait lets time pass; false when the client left meanwhile.
func (p *performance) wait(ms int) bool {
	if ms == 0 {
		return p.ctx.Err() == nil
	}
	t := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}

func (p *performance) begin(status int, header http.Header) {
	maps.Copy(p.w.Header(), header)
	p.entry.status(status)
	p.w.WriteHeader(status)
}

// whole sends a good answer, or the first half of it.
func (p *performance) whole(r reply) {
	if p.c.CutAfterEvents == 0 {
		p.send(r, ok)
		return
	}
	header := r.header.Clone()
	header.Set("Content-Length", strconv.Itoa(len(r.body)))
	p.begin(r.status, header)
	p.entry.end(cut)
	_, _ = p.w.Write(r.body[:len(r.body)/2])
	p.flush()
	p.abort = true
}

// send sends a whole answer, and counts it before its last byte is out.
func (p *performance) send(r reply, o outcome) {
	p.begin(r.status, r.header)
	p.entry.end(o)
	if _, err := p.w.Write(r.body); err != nil {
		p.entry.end(canceled)
	}
}

func (p *performance) flush() bool {
	return http.NewResponseController(p.w).Flush() == nil
}

// pieces sends a stream. Without delays the first event goes out by itself and the rest together.
func (p *performance) pieces(status int, header http.Header, pieces []piece, o outcome) {
	p.begin(status, header)
	events := 0
	for i, piece := range pieces {
		first := events == 0
		if !piece.comment {
			if events == p.c.CutAfterEvents && events > 0 {
				p.entry.end(cut)
				p.flush()
				p.abort = true
				return
			}
			if !first && !p.pause() {
				return
			}
			events++
		}
		stalls := p.c.Stall && events == 1
		if i == len(pieces)-1 && !stalls {
			p.entry.end(o)
		}
		if _, err := p.w.Write(piece.data); err != nil || (first && !piece.comment && !p.flush()) {
			p.entry.end(canceled)
			return
		}
		if stalls {
			<-p.ctx.Done()
			return
		}
	}
}

// pause lets the time between two events pass, after what was written is out.
func (p *performance) pause() bool {
	if p.c.ChunkDelayMS == 0 {
		return p.ctx.Err() == nil
	}
	return p.flush() && p.wait(p.c.ChunkDelayMS)
}

// reset breaks the connection before any answer, with a TCP reset where the connection is one.
func (p *performance) reset() {
	p.entry.status(0)
	p.entry.end(failed)
	conn, _, err := http.NewResponseController(p.w).Hijack()
	if err != nil { // HTTP/2, or a recorder in a test
		p.abort = true
		return
	}
	if tcp, is := conn.(*net.TCPConn); is {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
