package report_test

import (
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/report"
)

// folder writes a site by hand; beside it lies a secret.
func folder(t *testing.T) (dir string) {
	t.Helper()
	root := t.TempDir()
	dir = filepath.Join(root, "site")
	for name, text := range map[string]string{
		"index.html": strings.Repeat("<p>front</p>", 200), "data/index.html": "data", "data/SHA256SUMS": "00  x\n", "data/tables.json": "{}",
		"assets/style-0123456789.css": "p{}", "assets/icon.svg": "<svg/>", ".boon-site": "hidden", "odd.xyz": "?", "empty/x.txt": "x",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "secret"), []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret", filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func get(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.Path = path // as it is: a client may send what no library would
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestServesFiles(t *testing.T) {
	h := report.Handler(folder(t), nil)
	for path, want := range map[string]struct{ typ, cache string }{
		"/":                            {"text/html; charset=utf-8", "no-cache"},
		"/data/":                       {"text/html; charset=utf-8", "no-cache"},
		"/data/SHA256SUMS":             {"text/plain; charset=utf-8", "no-cache"},
		"/data/tables.json":            {"application/json", "no-cache"},
		"/assets/icon.svg":             {"image/svg+xml", "no-cache"},
		"/assets/style-0123456789.css": {"text/css; charset=utf-8", "public, max-age=31536000, immutable"},
		"/odd.xyz":                     {"application/octet-stream", "no-cache"},
	} {
		r := get(t, h, path)
		if r.Code != http.StatusOK || r.Header().Get("Content-Type") != want.typ || r.Header().Get("Cache-Control") != want.cache {
			t.Errorf("%s: %d, %v", path, r.Code, r.Header())
		}
		for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "ETag"} {
			if r.Header().Get(name) == "" {
				t.Errorf("%s: no %s", path, name)
			}
		}
	}
	for path, want := range map[string]string{"/data": "data/", "/data?ih=ab&x=%0d%0ay": "data/?ih=ab&x=%0d%0ay"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != want {
			t.Errorf("%s: %d to %q, not %q", path, w.Code, w.Header().Get("Location"), want)
		}
	}
}

func TestRefuses(t *testing.T) {
	h := report.Handler(folder(t), lake.NewMemory())
	for _, path := range []string{
		"/../secret", "/data/../../secret", "/..", "/./secret", "//secret", "/%2e%2e/secret", `/..\secret`, "/link.txt", "/.boon-site",
		"/nothing", "/empty/", "/data//", "/index.html/", "/a\x00b", "/live/", "/live/../keys/x.key", "/live/index.json", "/live/a%",
	} {
		r := get(t, h, path)
		body, _ := io.ReadAll(r.Body)
		if r.Code != http.StatusNotFound || strings.Contains(string(body), "secret") {
			t.Errorf("%q: %d %s", path, r.Code, body)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestRevalidationAndCompression(t *testing.T) {
	h := report.Handler(folder(t), nil)
	plain := get(t, h, "/")
	zipped := get(t, h, "/", "Accept-Encoding", "br, gzip;q=0.8")
	if zipped.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("not compressed: %v", zipped.Header())
	}
	z, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := io.ReadAll(plain.Body)
	b, err := io.ReadAll(z)
	if err != nil || string(a) != string(b) {
		t.Errorf("the compressed page differs: %v", err)
	}
	if plain.Header().Get("ETag") == zipped.Header().Get("ETag") {
		t.Error("two encodings share a tag")
	}
	if r := get(t, h, "/", "Accept-Encoding", "gzip;q=0"); r.Header().Get("Content-Encoding") != "" {
		t.Error("compressed for one who refuses that")
	}
	if r := get(t, h, "/", "If-None-Match", plain.Header().Get("ETag")); r.Code != http.StatusNotModified {
		t.Errorf("an unchanged page: %d", r.Code)
	}
}

func TestLiveFilesComeFromTheLake(t *testing.T) {
	s := lake.NewMemory()
	if _, err := lake.PutBytes(t.Context(), s, "live/index.json", lake.Condition{}, []byte(`["fra1"]`)); err != nil {
		t.Fatal(err)
	}
	if _, err := lake.PutBytes(t.Context(), s, "keys/week.key", lake.Condition{}, []byte("key")); err != nil {
		t.Fatal(err)
	}
	h := report.Handler(folder(t), s)
	r := get(t, h, "/live/index.json")
	body, _ := io.ReadAll(r.Body)
	if string(body) != `["fra1"]` || r.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s %v", r.Code, body, r.Header())
	}
	if r := get(t, h, "/keys/week.key"); r.Code != http.StatusNotFound {
		t.Errorf("a key of the lake: %d", r.Code)
	}
}

func TestServeStops(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- report.Serve(ctx, l, report.Handler(folder(t), nil)) }()
	r, err := http.Get("http://" + l.Addr().String() + "/")
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", r, err)
	}
	_ = r.Body.Close()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("stopped with %v", err)
	}
}
