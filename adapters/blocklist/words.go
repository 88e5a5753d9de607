package blocklist

import (
	"bufio"
	"bytes"
	"compress/flate"
	_ "embed"
	"errors"
	"io"
	"math"
)

//go:embed words.z
var packed []byte

const (
	longestWord = 24 // no word of the lists is longer
	slotBits    = 17 // 94 000 words in 131 072 slots
	rankBits    = 16

	// FNV-1a
	hashBasis = 0xcbf29ce484222325
	hashPrime = 0x100000001b3
)

// table finds words by their hash: a slot holds 48 bits of the hash and the rank plus one. It has no pointers, so collecting garbage costs nothing.
type table []uint64

func unpack() table {
	t := make(table, 1<<slotBits)
	text := bufio.NewReader(flate.NewReader(bytes.NewReader(packed)))
	rank, hash := uint64(0), uint64(hashBasis)
	for {
		c, err := text.ReadByte()
		if err != nil && !errors.Is(err, io.EOF) {
			panic("blocklist: words.z is damaged: " + err.Error()) // it is part of the program
		}
		if word := c != ' ' && c != '\n' && err == nil; word {
			hash = extend(hash, rune(c))
			continue
		}
		if hash != hashBasis {
			t.add(hash, rank)
		}
		if err != nil {
			return t
		}
		if c == '\n' {
			rank++
		}
		hash = hashBasis
	}
}

// extend gives the hash of a word with one more letter.
func extend(hash uint64, r rune) uint64 { return (hash ^ uint64(r)) * hashPrime }

func slot(hash uint64) uint64 { return hash * 0x9e3779b97f4a7c15 >> (64 - slotBits) }

func (t table) add(hash, rank uint64) {
	i := slot(hash)
	for t[i] != 0 {
		i = (i + 1) % (1 << slotBits)
	}
	t[i] = hash&^(1<<rankBits-1) | (rank + 1)
}

// bits gives the binary logarithm of a word's rank.
func (t table) bits(hash uint64) (float64, bool) {
	for i := slot(hash); t[i] != 0; i = (i + 1) % (1 << slotBits) {
		if (t[i]^hash)>>rankBits == 0 {
			return math.Log2(float64(t[i] & (1<<rankBits - 1))), true
		}
	}
	return 0, false
}
