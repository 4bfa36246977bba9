package s3test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Fault is something that goes wrong with a request on its way to the server.
// It answers the request itself, or lets next do so.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Proxy stands in front of a server and lets things go wrong.
type Proxy struct {
	URL   string
	calls atomic.Int64
	plan  atomic.Pointer[plan]
}

type plan struct {
	fault Fault
	match func(*http.Request) bool
	left  atomic.Int64
}

// NewProxy starts a proxy; it ends with the test. The AWS_ variables are set to it.
func NewProxy(tb testing.TB, s *Server) *Proxy {
	tb.Helper()
	target, err := url.Parse(s.URL)
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { Reset(w, nil, nil) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.calls.Add(1)
		if now := p.plan.Load(); now != nil && now.match(r) && now.left.Add(-1) >= 0 {
			now.fault(w, r, forward)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	p.URL = server.URL
	SetEnv(tb, p.URL)
	return p
}

// Calls is how many requests came.
func (p *Proxy) Calls() int64 { return p.calls.Load() }

// Break lets fault happen to the next n requests that match (nil: all).
func (p *Proxy) Break(n int64, match func(*http.Request) bool, fault Fault) {
	if match == nil {
		match = func(*http.Request) bool { return true }
	}
	now := &plan{fault: fault, match: match}
	now.left.Store(n)
	p.plan.Store(now)
}

// Mend ends all faults.
func (p *Proxy) Mend() { p.plan.Store(nil) }

// Status answers with an error of S3.
func Status(status int, code string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body) // the client may have hung up
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = io.WriteString(w, "<?xml version=\"1.0\"?><Error><Code>"+code+"</Code><Message>made up by a test</Message></Error>")
		}
	}
}

// Reset resets the connection before the server hears of the request.
func Reset(w http.ResponseWriter, _ *http.Request, _ http.Handler) { hangUp(w, true) }

func hangUp(w http.ResponseWriter, rudely bool) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := c.(*net.TCPConn); ok && rudely {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// LoseAnswer lets the server act and resets the connection instead of its answer.
func LoseAnswer(w http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	Reset(w, r, next)
}

// Hang says nothing for a while, then resets the connection.
func Hang(d time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(d)
		Reset(w, r, next)
	}
}

// Cut sends the first n bytes of a body, or half of a shorter one, and closes the
// connection.
func Cut(n int) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodHead {
			LoseAnswer(w, r, next)
			return
		}
		got := answer(w, r, next)
		w.Header().Set("Content-Length", strconv.Itoa(len(got.body)))
		w.WriteHeader(got.status)
		_, _ = w.Write(got.body[:min(n, len(got.body)/2)])
		_ = http.NewResponseController(w).Flush()
		hangUp(w, false)
	}
}

// Spoil changes a byte in the middle of the answer's body.
func Spoil(w http.ResponseWriter, r *http.Request, next http.Handler) {
	got := answer(w, r, next)
	if len(got.body) > 0 {
		got.body[len(got.body)/2] ^= 0x20
	}
	w.WriteHeader(got.status)
	_, _ = w.Write(got.body)
}

// Short answers with the first half of a body, without its length and checksums.
func Short(w http.ResponseWriter, r *http.Request, next http.Handler) {
	got := answer(w, r, next)
	for name := range w.Header() {
		if name == "Content-Length" || strings.HasPrefix(name, "X-Amz-Checksum") {
			w.Header().Del(name)
		}
	}
	w.WriteHeader(got.status)
	_ = http.NewResponseController(w).Flush() // or it would be counted
	_, _ = w.Write(got.body[:len(got.body)/2])
}

// SpoilRequest changes a byte in the middle of the request's body.
func SpoilRequest(w http.ResponseWriter, r *http.Request, next http.Handler) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if len(b) > 0 {
		b[len(b)/2] ^= 0x20
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	next.ServeHTTP(w, r)
}

// WrongETag answers with another object's ETag.
func WrongETag(w http.ResponseWriter, r *http.Request, next http.Handler) {
	got := answer(w, r, next)
	if w.Header().Get("ETag") != "" {
		w.Header().Set("ETag", `"0123456789abcdef0123456789abcdef"`)
	}
	w.WriteHeader(got.status)
	_, _ = w.Write(got.body)
}

// Unconditional hides the conditions of a request from the server.
func Unconditional(w http.ResponseWriter, r *http.Request, next http.Handler) {
	// They are signed; so the proxy answers for a server that ignores them.
	if r.Header.Get("If-Match")+r.Header.Get("If-None-Match") == "" {
		next.ServeHTTP(w, r)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("ETag", `"`+strconv.FormatInt(time.Now().UnixNano(), 16)+`"`)
}

type answered struct {
	status int
	body   []byte
}

// answer lets the server answer and copies the header to w.
func answer(w http.ResponseWriter, r *http.Request, next http.Handler) answered {
	rec := httptest.NewRecorder()
	next.ServeHTTP(rec, r)
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	return answered{rec.Code, rec.Body.Bytes()}
}
