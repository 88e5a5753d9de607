package outbound

// CommonPassword reports whether a password is one that many people use, or close to one. It must not depend on anything but the password.
type CommonPassword func(password string) bool

// NormalText gives the one form (Unicode NFC) of a text that can be written in several: the form that a password is measured and hashed in.
type NormalText func(text string) string
