package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
)

// A fingerprint is the SHA-256 of what a JSON value says: the order of members, white space and escapes do not change it. A number is taken as it is
// written, since a vendor may well tell 1 from 1.0. The hash is made of hashes, each behind the kind of its value, so that no two values meet by how
// their parts join, and nothing is copied but keys.

// digest is the hash of a value.
type digest = [sha256.Size]byte

// maxPrinted bounds the values of a body that is fingerprinted: what has more is not worth it.
const maxPrinted = 200_000

// errTooMany is a body with too many values.
var errTooMany = errors.New("the body has too many values for a fingerprint")

// leftOut reports whether a member of the body, by its path, does not change the answer.
type leftOut func(path, key string) bool

// leftOutOfChat are the members that name a caller, and those that say how the answer is sent.
func leftOutOfChat(path, key string) bool {
	if path != "" {
		return false
	}
	switch key {
	case "user", "safety_identifier", "metadata", "stream", "stream_options", "prompt_cache_key":
		return true
	}
	return false
}

// leftOutOfExecute are likewise those of a task.
func leftOutOfExecute(path, key string) bool {
	switch path {
	case "":
		return key == "stream"
	case "/context":
		return key == "end_user" || key == "tags" || key == "cache"
	}
	return false
}

// fingerprint hashes a body that is known to be JSON. An object of the body that is empty without what is left out counts as left out itself.
func fingerprint(body []byte, without leftOut) (digest, error) {
	p := &printer{scanner: scanner{b: body}, without: without}
	p.space()
	sum := p.value("", 0)
	if p.space(); p.err == nil && p.i < len(p.b) {
		p.fail("something follows the value")
	}
	return sum, p.err
}

// printer makes a fingerprint in one walk.
type printer struct {
	scanner
	without leftOut
	values  int
}

// member is a key with the hash of its value.
type member struct {
	key string
	sum digest
}

// value hashes the value that begins here. path is where it stands, as far as anything can be left out there.
func (p *printer) value(path string, depth int) digest {
	if p.values++; p.values > maxPrinted && p.err == nil {
		p.err = errTooMany
	}
	start := p.i
	switch p.kind() {
	case isObject:
		sum, _ := p.members(path, depth)
		return sum
	case isArray:
		h := sha256.New()
		h.Write([]byte{'['})
		p.array(depth+1, func() {
			sum := p.value("?", depth+1)
			h.Write(sum[:])
		})
		return digest(h.Sum(nil))
	case isString:
		n := p.string()
		if p.err != nil {
			return digest{}
		}
		text := p.b[start+1 : p.i-1]
		if n != len(text) {
			text = []byte(p.unescape(start))
		}
		return hashOf('"', text)
	}
	p.skip(depth)
	return hashOf('=', p.b[start:p.i])
}

// members hashes an object, its members in the order of their keys. Of two with one key the first stays first. empty says that nothing was hashed.
func (p *printer) members(path string, depth int) (sum digest, empty bool) {
	var all []member
	had := false
	p.object(depth+1, func(key []byte) {
		name := string(key)
		had = true
		if p.without(path, name) {
			p.skip(depth + 1)
			return
		}
		if path == "" && p.kind() == isObject {
			within, empty := p.members("/"+name, depth+1)
			if !empty {
				all = append(all, member{name, within})
			}
			return
		}
		all = append(all, member{name, p.value("?", depth+1)})
	})
	if p.err != nil {
		return digest{}, false
	}
	slices.SortStableFunc(all, func(a, b member) int { return bytes.Compare([]byte(a.key), []byte(b.key)) })
	h := sha256.New()
	h.Write([]byte{'{'})
	for i := range all {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(all[i].key)))
		h.Write(size[:])
		h.Write([]byte(all[i].key))
		h.Write(all[i].sum[:])
	}
	return digest(h.Sum(nil)), had && len(all) == 0 && path != ""
}

func hashOf(kind byte, text []byte) digest {
	if len(text) < 64 {
		var small [65]byte
		small[0] = kind
		return sha256.Sum256(small[:1+copy(small[1:], text)])
	}
	h := sha256.New()
	h.Write([]byte{kind})
	h.Write(text)
	return digest(h.Sum(nil))
}
