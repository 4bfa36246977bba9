package lake

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Memory is a lake in memory, for tests.
type Memory struct {
	mu      sync.Mutex
	objects map[string]memoryObject
	puts    int
}

type memoryObject struct {
	data []byte
	info Info
}

// NewMemory returns an empty lake.
func NewMemory() *Memory { return &Memory{objects: map[string]memoryObject{}} }

// URL is "memory:".
func (m *Memory) URL() string { return "memory:" }

// Open implements Store.
func (m *Memory) Open(ctx context.Context, key string) (Object, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", key, ErrNotFound)
	}
	return &memoryReader{Reader: bytes.NewReader(o.data), info: o.info}, nil
}

type memoryReader struct {
	*bytes.Reader
	info Info
}

func (r *memoryReader) Info() Info   { return r.info }
func (r *memoryReader) Close() error { return nil }

// Put implements Store.
func (m *Memory) Put(ctx context.Context, key string, cond Condition, write func(io.Writer) error) (Info, error) {
	if err := check(ctx, key); err != nil {
		return Info{}, err
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	if err := ctx.Err(); err != nil {
		return Info{}, fmt.Errorf("put %s: %w", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old, exists := m.objects[key]
	if cond.IfAbsent() && exists || cond.IfMatch() != "" && old.info.ETag != cond.IfMatch() {
		return Info{}, fmt.Errorf("put %s: %w", key, ErrConflict)
	}
	m.puts++
	info := Info{Key: key, Size: int64(b.Len()), ETag: strconv.Itoa(m.puts), ModTime: time.Unix(int64(m.puts), 0).UTC()}
	m.objects[key] = memoryObject{data: b.Bytes(), info: info}
	return info, nil
}

// List implements Store.
func (m *Memory) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(Info{}, err)
			return
		}
		m.mu.Lock()
		var found []Info
		for key, o := range m.objects {
			if strings.HasPrefix(key, prefix) {
				found = append(found, o.info)
			}
		}
		m.mu.Unlock()
		slices.SortFunc(found, func(a, b Info) int { return strings.Compare(a.Key, b.Key) })
		for _, info := range found {
			if !yield(info, nil) {
				return
			}
		}
	}
}

// Stat implements Store.
func (m *Memory) Stat(ctx context.Context, key string) (Info, error) {
	o, err := m.Open(ctx, key)
	if err != nil {
		return Info{}, err
	}
	return o.Info(), nil
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, key)
	return nil
}

func check(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return CheckKey(key)
}
