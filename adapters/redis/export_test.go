package redis

// Shut does what a silence does.
func Shut(c *Client) { c.gate.silent(c.clock()) }

// Enter asks whether a command may go.
func Enter(c *Client) bool { return c.gate.open(c.clock()) }

// ShutPatient does what a silence does to a command without which a sign-in is refused.
func ShutPatient(c *Client) { Shut(c.patient) }
