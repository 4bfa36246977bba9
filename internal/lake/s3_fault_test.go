package lake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/lake/s3test"
)

// patience is that of the tests: a few attempts, hardly any waiting.
var patience = lake.S3Options{Attempts: 4, MaxBackoff: 5 * time.Millisecond, Idle: time.Second}

func openS3(t *testing.T, bucket string) *lake.S3 {
	t.Helper()
	s, err := lake.NewS3(t.Context(), bucket, "p", patience)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// noise is n bytes that do not compress and of which no two stretches are alike.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

const (
	small = 100 << 10
	large = 20<<20 + 17 // three parts
)

var faults = map[string]s3test.Fault{
	"500":               s3test.Status(500, "InternalError"),
	"503":               s3test.Status(503, "SlowDown"),
	"reset":             s3test.Reset,
	"lost answer":       s3test.LoseAnswer,
	"hang":              s3test.Hang(1500 * time.Millisecond),
	"cut body":          s3test.Cut(64 << 10),
	"spoilt on its way": s3test.SpoilRequest,
}

// What goes wrong fewer times than there are attempts is not noticed at all.
func TestS3Recovers(t *testing.T) {
	needQuiet(t)
	server := s3test.Start(t)
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			proxy := s3test.NewProxy(t, server)
			n := int64(patience.Attempts - 1)
			if name == "hang" {
				n = 1 // it takes its time, and more of it shows no more
			}
			bucket := server.Bucket(t)
			s := openS3(t, bucket)
			for i, size := range []int{small, 9 << 20} {
				for _, method := range []string{"POST", "PUT", "GET", "HEAD"} {
					key := fmt.Sprintf("%d/%s", i, method)
					proxy.Break(n, isMethod(method), fault)
					roundTrip(t, s, key, noise(size))
					proxy.Mend()
				}
			}
			if left := unfinished(t, server, bucket); len(left) > 0 {
				t.Errorf("multipart uploads left: %v", left)
			}
		})
	}
}

func isMethod(m string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == m }
}

// roundTrip puts, reads, lists and compares.
func roundTrip(t *testing.T, s *lake.S3, key string, want []byte) {
	t.Helper()
	ctx := t.Context()
	info, err := lake.PutBytes(ctx, s, key, lake.Absent(), want)
	if err != nil {
		t.Errorf("put %s: %v", key, err)
		return
	}
	if _, err := lake.PutBytes(ctx, s, key, lake.Absent(), want); !errors.Is(err, lake.ErrConflict) {
		t.Errorf("a second conditional put of %s: %v", key, err)
	}
	got, opened, err := lake.ReadAll(ctx, s, key, 1<<30)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %s: %d of %d bytes, %v", key, len(got), len(want), err)
	}
	if opened.ETag != info.ETag || opened.Size != int64(len(want)) {
		t.Errorf("%s opened as %+v, put as %+v", key, opened, info)
	}
	if st, err := s.Stat(ctx, key); err != nil || st != opened {
		t.Errorf("%s: Stat says %+v, %v; Open said %+v", key, st, err, opened)
	}
	found := false
	for in, err := range s.List(ctx, "") {
		if err != nil {
			t.Errorf("list: %v", err)
		}
		found = found || in.Key == key && in.ETag == info.ETag
	}
	if !found {
		t.Errorf("%s is not listed", key)
	}
}

// What keeps going wrong is a clear error, and leaves nothing.
func TestS3GivesUp(t *testing.T) {
	needQuiet(t)
	server := s3test.Start(t)
	for name, c := range map[string]struct {
		fault s3test.Fault
		says  string
	}{
		"500":   {s3test.Status(500, "InternalError"), "did not serve in 4 attempts; try again later"},
		"503":   {s3test.Status(503, "SlowDown"), "did not serve in 4 attempts; try again later"},
		"403":   {s3test.Status(403, "AccessDenied"), "access denied; the credentials need s3:ListBucket"},
		"key":   {s3test.Status(403, "InvalidAccessKeyId"), "does not accept the credentials"},
		"301":   {s3test.Status(301, "PermanentRedirect"), "set AWS_REGION"},
		"501":   {s3test.Status(501, "NotImplemented"), "lacks a part of S3"},
		"reset": {s3test.Reset, "did not serve in 4 attempts"},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := s3test.NewProxy(t, server)
			bucket := server.Bucket(t)
			s := openS3(t, bucket)
			explains := func(what string, err error) {
				t.Helper()
				if err == nil || !strings.Contains(err.Error(), c.says) && !strings.HasPrefix(what, "stat") ||
					!strings.Contains(err.Error(), "s3://"+bucket+"/p") || errors.Is(err, lake.ErrNotFound) || errors.Is(err, lake.ErrConflict) {
					t.Errorf("%s: %v", what, err)
				}
			}
			for _, method := range []string{"PUT", "POST"} { // of PUT alone the abort goes through
				proxy.Break(1<<30, isMethod(method), c.fault)
				_, err := lake.PutBytes(t.Context(), s, "large", lake.Absent(), noise(large))
				explains("put large", err)
				if method == "PUT" {
					_, err = lake.PutBytes(t.Context(), s, "small", lake.Condition{}, noise(small))
					explains("put small", err)
				}
			}
			proxy.Break(1<<30, nil, c.fault)
			_, err := s.Open(t.Context(), "small")
			explains("open", err)
			_, err = s.Stat(t.Context(), "small")
			explains("stat", err)
			explains("delete", s.Delete(t.Context(), "small"))
			for _, err := range s.List(t.Context(), "") {
				explains("list", err)
			}
			proxy.Mend()
			for info := range s.List(t.Context(), "") {
				t.Errorf("left %s", info.Key)
			}
			if left := unfinished(t, server, bucket); len(left) > 0 {
				t.Errorf("multipart uploads left: %v", left)
			}
		})
	}
}

// unfinished are the files of multipart uploads that were not ended.
func unfinished(t *testing.T, server *s3test.Server, bucket string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(server.Root, bucket, ".sgwtmp"), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && d.Type().IsRegular() && strings.Contains(path, "multipart") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestS3CutAgainAndAgain(t *testing.T) {
	needQuiet(t)
	server := s3test.Start(t)
	proxy := s3test.NewProxy(t, server)
	s := openS3(t, server.Bucket(t))
	want := noise(large)
	if _, err := lake.PutBytes(t.Context(), s, "k", lake.Condition{}, want); err != nil {
		t.Fatal(err)
	}
	// Every answer is cut, but each brings two MiB: the reader gets there.
	proxy.Break(1<<30, isMethod("GET"), s3test.Cut(2<<20))
	// The last stretches bring less, and the fourth such cut is the end.
	o, err := s.Open(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	got := make([]byte, len(want)-5<<20)
	if _, err := io.ReadFull(o, got); err != nil || !bytes.Equal(got, want[:len(got)]) {
		t.Errorf("read on over cuts: %v", err)
	}
	proxy.Break(1<<30, isMethod("GET"), s3test.Cut(10))
	if _, err := io.ReadAll(o); err == nil || !strings.Contains(err.Error(), "cut off at byte") || !strings.Contains(err.Error(), "try again later") {
		t.Errorf("cut after ten bytes each time: %v", err)
	}
	if _, err := o.ReadAt(make([]byte, 100), 0); err == nil || !strings.Contains(err.Error(), "cut off at byte") {
		t.Errorf("ReadAt: %v", err)
	}
	proxy.Mend()
	at := make([]byte, 3<<20)
	if _, err := o.ReadAt(at, 77); err != nil || !bytes.Equal(at, want[77:77+len(at)]) {
		t.Errorf("ReadAt after the fault: %v", err)
	}
	if _, err := o.ReadAt(at[:100], blockEdge); err != nil || !bytes.Equal(at[:100], want[blockEdge:blockEdge+100]) {
		t.Errorf("ReadAt over the edge of a block: %v", err)
	}
}

const blockEdge = 1<<20 - 50

// A reader whose object is replaced between two requests does not mix them.
func TestS3ReplacedWhileRead(t *testing.T) {
	needQuiet(t)
	server := s3test.Start(t)
	proxy := s3test.NewProxy(t, server)
	s := openS3(t, server.Bucket(t))
	if _, err := lake.PutBytes(t.Context(), s, "k", lake.Condition{}, noise(large)); err != nil {
		t.Fatal(err)
	}
	proxy.Break(1, isMethod("GET"), s3test.Cut(1<<20))
	o, err := s.Open(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if _, err := lake.PutBytes(t.Context(), s, "k", lake.Condition{}, make([]byte, large)); err != nil {
		t.Fatal(err)
	}
	for what, read := range map[string]func() error{
		"Read":   func() error { _, err := io.Copy(io.Discard, o); return err },
		"ReadAt": func() error { _, err := o.ReadAt(make([]byte, 10), 1000); return err },
	} {
		if err := read(); !errors.Is(err, lake.ErrConflict) || !strings.Contains(err.Error(), "replaced meanwhile") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestS3WrongAnswers(t *testing.T) {
	needQuiet(t)
	server := s3test.Start(t)
	proxy := s3test.NewProxy(t, server)
	bucket := server.Bucket(t)
	s := openS3(t, bucket)
	if _, err := lake.PutBytes(t.Context(), s, "k", lake.Condition{}, noise(small)); err != nil {
		t.Fatal(err)
	}
	proxy.Break(1, isMethod("GET"), s3test.Spoil)
	if _, _, err := lake.ReadAll(t.Context(), s, "k", 1<<30); err == nil || !strings.Contains(err.Error(), "what came is not what was put") {
		t.Errorf("read with one byte changed: %v", err)
	}
	// Half of it, as if it were all. The error is no io.EOF, which callers take for the end.
	proxy.Break(1, isMethod("GET"), s3test.Short)
	if _, _, err := lake.ReadAll(t.Context(), s, "k", 1<<30); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("read a half without its length: %v", err)
	}
	// A part that the server knows under another ETag: no object comes of it.
	proxy.Break(1, isMethod("PUT"), s3test.WrongETag)
	if _, err := lake.PutBytes(t.Context(), s, "new", lake.Condition{}, noise(large)); err == nil {
		t.Error("an upload with a wrong part succeeded")
	}
	if _, err := s.Stat(t.Context(), "new"); !errors.Is(err, lake.ErrNotFound) {
		t.Errorf("after it: %v", err)
	}
	if left := unfinished(t, server, bucket); len(left) > 0 {
		t.Errorf("multipart uploads left: %v", left)
	}
}

// A server that ignores conditions is found out at the first of them.
func TestS3ServerWithoutConditions(t *testing.T) {
	needQuiet(t)
	server := s3test.Start(t)
	proxy := s3test.NewProxy(t, server)
	s := openS3(t, server.Bucket(t))
	proxy.Break(1<<30, isMethod("PUT"), s3test.Unconditional)
	for _, cond := range []lake.Condition{lake.Absent(), lake.Unchanged("0")} {
		if _, err := lake.PutBytes(t.Context(), s, "k", cond, []byte("x")); err == nil || !strings.Contains(err.Error(), "ignores the conditions") {
			t.Errorf("%+v: %v", cond, err)
		}
	}
}

// The completion of a multipart upload keeps conditions, too.
func TestS3LargeConditions(t *testing.T) {
	needQuiet(t)
	server := s3test.Start(t)
	s := openS3(t, server.Bucket(t))
	results := make(chan error, 3)
	var begun sync.WaitGroup
	begun.Add(3)
	for i := range 3 {
		go func() {
			_, err := s.Put(t.Context(), "k", lake.Absent(), func(w io.Writer) error {
				b := bytes.Repeat([]byte{byte(i)}, large/2)
				_, err := w.Write(b)
				begun.Done()
				begun.Wait() // all have found no object before any completes
				if err == nil {
					_, err = w.Write(b)
				}
				return err
			})
			results <- err
		}()
	}
	won := 0
	for range 3 {
		if err := <-results; err == nil {
			won++
		} else if !errors.Is(err, lake.ErrConflict) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d of 3 won", won)
	}
	if _, err := lake.PutBytes(t.Context(), s, "k", lake.Unchanged("0"), noise(large)); !errors.Is(err, lake.ErrConflict) {
		t.Errorf("Unchanged on another object: %v", err)
	}
}

func TestS3CancelledUpload(t *testing.T) {
	needQuiet(t)
	server := s3test.Start(t)
	bucket := server.Bucket(t)
	s := openS3(t, bucket)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Put(ctx, "k", lake.Condition{}, func(w io.Writer) error {
		if _, err := w.Write(noise(large)); err != nil {
			return err
		}
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := unfinished(t, server, bucket); len(left) > 0 {
		t.Errorf("multipart uploads left: %v", left)
	}
}

// Without a server, a bucket or credentials, the error says what to do.
func TestS3Errors(t *testing.T) {
	needQuiet(t)
	server := s3test.Start(t)
	for name, c := range map[string]struct {
		env  map[string]string
		says string
	}{
		"no bucket":      {nil, `has no bucket "absent"; make it`},
		"no server":      {map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "cannot be reached; look at AWS_ENDPOINT_URL"},
		"no credentials": {map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no credentials; set AWS_ACCESS_KEY_ID"},
		"wrong secret":   {map[string]string{"AWS_SECRET_ACCESS_KEY": "other"}, "does not accept the credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			s3test.SetEnv(t, server.URL)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			s := openS3(t, "absent")
			_, err := s.Open(t.Context(), "k")
			_, perr := lake.PutBytes(t.Context(), s, "k", lake.Condition{}, nil)
			var lerr error
			for _, lerr = range s.List(t.Context(), "") {
			}
			for what, err := range map[string]error{"open": err, "put": perr, "list": lerr} {
				if err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err, lake.ErrNotFound) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if _, err := s.Stat(t.Context(), "k"); err == nil || errors.Is(err, lake.ErrNotFound) || errors.Is(err, lake.ErrAway) != (name == "no server") {
				t.Errorf("stat: %v", err)
			}
		})
	}
	t.Run("no region", func(t *testing.T) {
		t.Setenv("AWS_ENDPOINT_URL", "")
		t.Setenv("AWS_REGION", "")
		if _, err := lake.Open("s3://b/p"); err == nil || !strings.Contains(err.Error(), "set AWS_REGION") {
			t.Errorf("got %v", err)
		}
	})
	for _, location := range []string{"s3://", "s3:///p", "s3://b/../p", "s3://b/env=prod", "s3://b/a b"} {
		if _, err := lake.Open(location); err == nil {
			t.Errorf("Open(%q) succeeded", location)
		}
	}
}

// needQuiet keeps tests that depend on when an answer is cut to make test-s3,
// where nothing else runs: on a busy machine a cut may come before the headers.
func needQuiet(t *testing.T) {
	t.Helper()
	if os.Getenv("BOON_S3_FAULTS") == "" {
		t.Skip("make test-s3 runs this")
	}
}
