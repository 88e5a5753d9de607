package blocklist

// Unpack makes the table anew.
func Unpack() int { return len(unpack()) }

// Bits is the estimate.
var Bits = bits
