package redis

// Shut does what a silence does.
func Shut(c *Client) { c.gate.silent(c.clock()) }

// Enter asks whether a command may go.
func Enter(c *Client) bool { return c.gate.open(c.clock()) }
