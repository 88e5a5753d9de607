package responses

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"

	"github.com/forge1/forge1/ports/inbound"
)

// version begins what is packed. What is packed in another way is refused rather than half understood.
const version = 1

// maxPacked bounds what is unpacked: far more than any conversation that a body can hold.
const maxPacked = 512 << 20

var errPacked = errors.New("not packed as a response is")

// pack puts the texts of a response behind each other, each behind its length, and compresses them: a conversation repeats itself.
func pack(r inbound.KeptResponse) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte(version)
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	for _, text := range [][]byte{r.Input, r.Output, r.Body} {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(text)))
		if _, err := w.Write(size[:]); err != nil {
			return nil, err
		}
		if _, err := w.Write(text); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// unpack undoes pack.
func unpack(packed []byte) (r inbound.KeptResponse, err error) {
	if len(packed) == 0 || packed[0] != version {
		return r, errPacked
	}
	z, err := gzip.NewReader(bytes.NewReader(packed[1:]))
	if err != nil {
		return r, err
	}
	all, err := io.ReadAll(io.LimitReader(z, maxPacked+1))
	if err != nil {
		return r, err
	}
	if len(all) > maxPacked {
		return r, errPacked
	}
	for _, text := range []*[]byte{&r.Input, &r.Output, &r.Body} {
		if len(all) < 8 {
			return r, errPacked
		}
		size := binary.BigEndian.Uint64(all)
		all = all[8:]
		if size > uint64(len(all)) {
			return r, errPacked
		}
		*text, all = all[:size:size], all[size:]
	}
	if len(all) > 0 {
		return r, errPacked
	}
	return r, nil
}
