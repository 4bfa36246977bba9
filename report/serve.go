package report

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/boontorrent/boon/internal/lake"
)

// headers go with every answer. The policy of the page itself is stricter where
// the page needs less.
var headers = map[string]string{
	"Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; " +
		"frame-ancestors 'none'",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
}

// types are the media types by extension; a file of another is a download.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".json": "application/json", ".txt": "text/plain; charset=utf-8", ".csv": "text/csv; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp", ".ico": "image/x-icon", ".xml": "application/xml",
	".parquet": "application/vnd.apache.parquet", ".gz": "application/gzip", ".bin": "application/octet-stream",
	"": "text/plain; charset=utf-8",
}

// marker is the file by which a folder is known as a site that boon report made.
const marker = ".boon-site"

// IsSite says whether boon report made the folder.
func IsSite(dir string) bool {
	st, err := os.Stat(filepath.Join(dir, marker))
	return err == nil && st.Mode().IsRegular()
}

// Handler serves the site in the folder dir. A site that replaces it meanwhile is
// served from the next request on. Live files (/live/…) come from the lake, where
// there are any; live may be nil. It keeps no log of requests, for a log of
// requests is a log of addresses.
func Handler(dir string, live lake.Store) http.Handler {
	return &server{dir, live}
}

type server struct {
	dir  string
	live lake.Store
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for k, v := range headers {
		w.Header().Set(k, v)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Only GET and HEAD are served here.", http.StatusMethodNotAllowed)
		return
	}
	name, ok := fileName(r.URL.Path)
	switch {
	case !ok:
		notFound(w)
	case s.live != nil && strings.HasPrefix(name, lake.LivePrefix):
		s.serveLive(w, r, name)
	default:
		s.serveFile(w, r, name)
	}
}

// fileName turns the path of a request into a name within the site. Hidden files
// and paths that lead anywhere else have none.
func fileName(p string) (string, bool) {
	name := strings.TrimPrefix(p, "/")
	if name == "" {
		return ".", true
	}
	clean := strings.TrimSuffix(name, "/")
	if strings.ContainsAny(name, "\\\x00") || !fs.ValidPath(clean) {
		return "", false
	}
	for part := range strings.SplitSeq(clean, "/") {
		if strings.HasPrefix(part, ".") {
			return "", false
		}
	}
	return clean, true
}

func notFound(w http.ResponseWriter) {
	http.Error(w, "There is no such page. The front page is at /", http.StatusNotFound)
}

func (s *server) serveFile(w http.ResponseWriter, r *http.Request, name string) {
	f, err := os.OpenInRoot(s.dir, name) // does not leave dir, by symbolic links either
	if err != nil {
		notFound(w)
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		notFound(w)
		return
	}
	slash := strings.HasSuffix(r.URL.Path, "/")
	switch {
	case st.IsDir() && !slash:
		target := url.URL{Path: path.Base(name) + "/", RawQuery: r.URL.RawQuery} // relative: right behind a proxy too
		w.Header().Set("Location", target.String())
		w.WriteHeader(http.StatusMovedPermanently)
	case st.IsDir():
		s.serveFile(w, indexOf(r), path.Join(name, "index.html"))
	case !st.Mode().IsRegular() || slash:
		notFound(w)
	default:
		serveContent(w, r, name, f, st)
	}
}

// indexOf is r for the index of its folder.
func indexOf(r *http.Request) *http.Request {
	index := r.Clone(r.Context())
	index.URL.Path += "index.html"
	return index
}

// serveContent sends a file with its type, a tag to revalidate it by, and squeezed
// where the reader can take that and it is worth it.
func serveContent(w http.ResponseWriter, r *http.Request, name string, f *os.File, st fs.FileInfo) {
	h := w.Header()
	typ, known := types[path.Ext(name)]
	if !known {
		typ = "application/octet-stream"
	}
	h.Set("Content-Type", typ)
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") && strings.Contains(path.Base(name), "-") || strings.HasPrefix(name, "search/i-") || strings.HasPrefix(name, "t/i-") {
		h.Set("Cache-Control", "public, max-age=31536000, immutable") // the name changes with the content
	}
	tag := fmt.Sprintf("%x-%x", st.ModTime().UnixNano(), st.Size())
	const worth, most = 1 << 10, 4 << 20
	squeezable := strings.HasPrefix(typ, "text/") || strings.HasPrefix(typ, "application/json") || typ == "image/svg+xml"
	if squeezable {
		h.Set("Vary", "Accept-Encoding")
	}
	if squeezable && st.Size() >= worth && st.Size() <= most && r.Header.Get("Range") == "" && acceptsGzip(r) {
		var b bytes.Buffer
		zip := gzip.NewWriter(&b)
		if _, err := io.Copy(zip, f); err != nil || zip.Close() != nil {
			http.Error(w, "The file could not be read.", http.StatusInternalServerError)
			return
		}
		h.Set("Content-Encoding", "gzip")
		h.Set("ETag", `"`+tag+`-gz"`)
		http.ServeContent(w, r, name, st.ModTime(), bytes.NewReader(b.Bytes()))
		return
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, name, st.ModTime(), f)
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == "gzip" {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && q != "q=0.0"
		}
	}
	return false
}

// mostLive bounds a live file.
const mostLive = 64 << 20

func (s *server) serveLive(w http.ResponseWriter, r *http.Request, name string) {
	b, info, err := lake.ReadAll(r.Context(), s.live, name, mostLive)
	if err != nil {
		notFound(w)
		return
	}
	w.Header().Set("Content-Type", types[".json"])
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, name, info.ModTime, bytes.NewReader(b))
}

// Serve answers requests with h on the listener until ctx ends, then lets those
// that are under way finish for a few seconds.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := server.Shutdown(grace)
	if served := <-done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
