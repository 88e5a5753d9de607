package jsonscan

// Members reports whether b is an object each of whose members holds. What is handed out is valid during the call alone.
func Members(b []byte, holds func(key string, value []byte) bool) bool {
	w := Walk(b, 0)
	if !w.Object() {
		return false
	}
	for key, ok := w.Next(); ok; key, ok = w.Next() {
		if !holds(string(key), w.Skip()) {
			return false
		}
	}
	return w.Whole()
}

// Items reports whether b is a list each of whose items holds.
func Items(b []byte, holds func(item []byte) bool) bool {
	w := Walk(b, 0)
	if !w.List() {
		return false
	}
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		if !holds(w.Skip()) {
			return false
		}
	}
	return w.Whole()
}

// IsEmpty reports whether a value tells nothing: null, or a string, list or object without anything in it.
func IsEmpty(value []byte) bool {
	switch string(value) {
	case "null", `""`, "[]", "{}":
		return true
	}
	return false
}
