package main

import (
	"encoding/gob"
	"time"
)

// The types of tests/models, as Go has them.

type Hash [64]byte

type AddImageRequest struct {
	ImageName string
	Image     *Image
}

type Image struct {
	BuildBranch   string
	BuildCommitId string
	BuildGitUrl   string
	CreatedBy     string
	CreatedFor    string
	Filter        *Filter
	FileSystem    *FileSystem
	Triggers      *Triggers
	ReleaseNotes  *Annotation
	BuildLog      *Annotation
	CreatedOn     time.Time
	ExpiresAt     time.Time
	OwnerGroups   []string
	OwnerUsers    []string
	Packages      []Package
	SourceImage   string
	Tags          map[string]string
}

type Annotation struct {
	Object *Hash
	URL    string
}

type Package struct {
	Name    string
	Size    uint64
	Version string
}

type Filter struct {
	FilterLines []string
}

type Triggers struct {
	Triggers []*Trigger
}

type Trigger struct {
	MatchLines []string
	Service    string
	SortName   string
	DoReboot   bool
	DoReload   bool
	HighImpact bool
}

type FileSystem struct {
	InodeTable       map[uint64]any
	NumRegularInodes uint64
	TotalDataBytes   uint64
	DirectoryCount   uint64
	DirectoryInode
}

type DirectoryInode struct {
	EntryList     []*DirectoryEntry
	EntriesByName map[string]*DirectoryEntry
	Mode          uint32
	Uid           uint32
	Gid           uint32
}

type DirectoryEntry struct {
	Name        string
	InodeNumber uint64
}

type RegularInode struct {
	Mode             uint32
	Uid              uint32
	Gid              uint32
	MtimeNanoSeconds int32
	MtimeSeconds     int64
	Size             uint64
	Hash             Hash
}

type ComputedRegularInode struct {
	Mode   uint32
	Uid    uint32
	Gid    uint32
	Source string
}

type SymlinkInode struct {
	Uid     uint32
	Gid     uint32
	Symlink string
}

type SpecialInode struct {
	Mode             uint32
	Uid              uint32
	Gid              uint32
	MtimeNanoSeconds int32
	MtimeSeconds     int64
	Rdev             uint64
}

type Exotic struct {
	Flag        bool
	Tiny        int8
	Short       int16
	Long        int64
	Word        uint16
	Double      float64
	Single      float32
	Bytes       []byte
	Text        string
	Span        time.Duration
	Grid        [2][3]byte
	Triple      [3]int32
	Flags       [2]bool
	Hashes      []Hash
	Lists       [][]uint64
	Blobs       [][]byte
	Times       []time.Time
	Empties     []Empty
	Usage       map[uint64]uint32
	Attributes  map[string][]string
	Nested      map[int16]map[string]Hash
	MaybeMap    map[uint64]string
	Pointer     *uint64
	Hash        *Hash
	Empty       *Empty
	Shape       any
	Shapes      []any
	NamedShapes map[string]any
	Tree        *Node
}

type Empty struct{}

type Node struct {
	Value    uint64
	Next     *Node
	Children []Node
	Named    map[string]Node
}

type Point struct{ X, Y int64 }
type Count uint64
type Label string
type Path []Point
type Group struct {
	Name    string
	Members []any
	First   any
}
type At struct{ time.Time }

func (at At) GobEncode() ([]byte, error)      { return at.Time.GobEncode() }
func (at *At) GobDecode(encoded []byte) error { return at.Time.GobDecode(encoded) }

// Future is an Image from a version that knows more, to be skipped by one that does not.
type Future struct {
	Before       Extra
	CreatedBy    string
	Lists        map[string][]Extra
	FileSystem   *FileSystem
	Anything     any
	Anythings    []any
	Complex      complex128
	Complexes    []complex64
	CreatedOn    time.Time
	Binary       binaryMarshaler
	Arrays       [2][3]float32
	Tags         map[string]string
	Tree         *Node
	Interpreters map[Count]any
}

type Extra struct {
	Bytes []byte
	Hash  Hash
	Time  time.Time
	Next  *Extra
}

// Unheard is a type that the other side has not registered.
type Unheard struct {
	Extra Extra
	Inner any
}

type binaryMarshaler struct{ data string }

func (b binaryMarshaler) MarshalBinary() ([]byte, error)     { return []byte(b.data), nil }
func (b *binaryMarshaler) UnmarshalBinary(data []byte) error { b.data = string(data); return nil }

func init() {
	gob.RegisterName("*filesystem.RegularInode", &RegularInode{})
	gob.RegisterName("*filesystem.ComputedRegularInode", &ComputedRegularInode{})
	gob.RegisterName("*filesystem.SymlinkInode", &SymlinkInode{})
	gob.RegisterName("*filesystem.SpecialInode", &SpecialInode{})
	gob.RegisterName("*filesystem.DirectoryInode", &DirectoryInode{})
	gob.RegisterName("shape.Point", Point{})
	gob.RegisterName("shape.Count", Count(0))
	gob.RegisterName("shape.Label", Label(""))
	gob.RegisterName("shape.Path", Path{})
	gob.RegisterName("*shape.Group", &Group{})
	gob.RegisterName("shape.At", At{})
	gob.RegisterName("peer.Unheard", Unheard{})
}
