// Peer is Go's side of examples/against_go.rs. It reads frames from standard input and answers each with another
// one: a byte that says what to do, four bytes of length (big-endian), a gob stream. Standard library only.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"io"
	"log"
	"os"
	"sort"
	"time"
)

func main() {
	reader, writer := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		kind, err := reader.ReadByte()
		if err == io.EOF {
			return
		}
		var length uint32
		check(binary.Read(reader, binary.BigEndian, &length))
		stream := make([]byte, length)
		_, err = io.ReadFull(reader, stream)
		check(err)
		answer := handle(kind, stream)
		check(binary.Write(writer, binary.BigEndian, uint32(len(answer))))
		_, err = writer.Write(answer)
		check(err)
		check(writer.Flush())
	}
}

func handle(kind byte, stream []byte) []byte {
	switch kind {
	case 'i':
		return echo[Image](stream)
	case 'a':
		return echo[AddImageRequest](stream)
	case 'x':
		return echo[Exotic](stream)
	case 'f':
		return future(stream)
	case 'b':
		return bench(stream)
	}
	log.Fatalf("unknown frame %q", kind)
	return nil
}

// echo decodes all values of a stream and encodes them again, by one encoder.
func echo[T any](stream []byte) []byte {
	decoder := gob.NewDecoder(bytes.NewReader(stream))
	var out bytes.Buffer
	encoder := gob.NewEncoder(&out)
	for {
		value := new(T)
		err := decoder.Decode(value)
		if err == io.EOF {
			return out.Bytes()
		}
		check(err)
		check(encoder.Encode(value))
	}
}

// future decodes an image and encodes it with many more fields.
func future(stream []byte) []byte {
	var image Image
	check(gob.NewDecoder(bytes.NewReader(stream)).Decode(&image))
	extra := Extra{Bytes: []byte("bytes"), Hash: Hash{1, 200}, Time: time.Now(), Next: &Extra{}}
	value := Future{
		Before:       extra,
		CreatedBy:    image.CreatedBy,
		Lists:        map[string][]Extra{"none": nil, "two": {extra, {}}},
		FileSystem:   image.FileSystem,
		Anything:     Unheard{Extra: extra, Inner: Unheard{Inner: Point{1, 2}}},
		Anythings:    []any{nil, Count(7), Label("label"), Path{{1, 2}}, &Group{First: Unheard{}}, At{time.Now()}},
		Complex:      complex(1, -2),
		Complexes:    []complex64{1, 2i},
		CreatedOn:    image.CreatedOn,
		Binary:       binaryMarshaler{"binary"},
		Arrays:       [2][3]float32{{1, 2, 3}, {4, 5, 6}},
		Tags:         image.Tags,
		Tree:         &Node{Children: []Node{{Value: 300}, {Next: &Node{}}}, Named: map[string]Node{"": {}}},
		Interpreters: map[Count]any{1: Unheard{}, 300: Label("")},
	}
	var out bytes.Buffer
	check(gob.NewEncoder(&out).Encode(value))
	return out.Bytes()
}

// bench answers with a line of text: medians of decoding and of encoding the image, in milliseconds.
func bench(stream []byte) []byte {
	const rounds = 15
	var decode, encode []float64
	for i := 0; i < rounds; i++ {
		var image Image
		start := time.Now()
		check(gob.NewDecoder(bytes.NewReader(stream)).Decode(&image))
		decode = append(decode, time.Since(start).Seconds()*1000)
		var out bytes.Buffer
		start = time.Now()
		check(gob.NewEncoder(&out).Encode(&image))
		encode = append(encode, time.Since(start).Seconds()*1000)
	}
	sort.Float64s(decode)
	sort.Float64s(encode)
	return []byte(fmt.Sprintf("%.1f %.1f", decode[rounds/2], encode[rounds/2]))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
