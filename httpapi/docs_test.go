package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// explorerPages are the addresses of the explorer, below each base URL.
var explorerPages = []string{"/docs", "/docs/", "/docs/index.html", "//docs", "//docs/", "/docs?tag=messages", "/docs/?tag=messages"}

// reference is an attribute of the page that names another file.
var reference = regexp.MustCompile(`(?:src|href|data-spec)="([^"]*)"`)

// elsewhere is an address that does not depend on that of the page: with a scheme, a host or a root.
var elsewhere = regexp.MustCompile(`^([a-z]+:|/)`)

// browse gets an address without credentials, as a browser does at first.
func (s *server) browse(t *testing.T, address string) reply {
	t.Helper()
	got := s.do("GET", strings.TrimPrefix(address, s.url), "", "Authorization", "")
	if got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", address, got.status, got.body)
	}
	return got
}

// Everything that the page refers to is there, relative to the address that the browser shows.
func TestExplorerIsComplete(t *testing.T) {
	s := start(t)
	for _, base := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
		for _, path := range explorerPages {
			page := s.browse(t, base+path)
			if kind := page.header.Get("Content-Type"); kind != "text/html; charset=utf-8" {
				t.Errorf("%s%s is %q", base, path, kind)
			}
			at, err := url.Parse(s.url + base + path)
			if err != nil {
				t.Fatal(err)
			}
			found := reference.FindAllStringSubmatch(page.body, -1)
			if len(found) != 8 {
				t.Errorf("%s%s refers to %d files, not 8", base, path, len(found))
			}
			for _, ref := range found {
				if elsewhere.MatchString(ref[1]) {
					t.Errorf("%s%s refers to %s, which a prefix of a reverse proxy breaks", base, path, ref[1])
				}
				to, err := at.Parse(ref[1])
				if err != nil {
					t.Fatal(err)
				}
				s.browse(t, to.String())
			}
		}
	}
}

var explorerKinds = map[string]string{
	"":                     "text/html; charset=utf-8",
	"index.html":           "text/html; charset=utf-8",
	"explorer.css":         "text/css; charset=utf-8",
	"explorer.js":          "text/javascript; charset=utf-8",
	"swagger-ui.css":       "text/css; charset=utf-8",
	"swagger-ui-bundle.js": "text/javascript; charset=utf-8",
	"favicon-16x16.png":    "image/png",
	"favicon-32x32.png":    "image/png",
}

// The page may load from this server only, and run no script that stands in it.
func TestExplorerIsGuarded(t *testing.T) {
	s := start(t)
	for name, kind := range explorerKinds {
		got := s.browse(t, "/docs/"+name)
		for header, want := range map[string]string{
			"Content-Type":           kind,
			"X-Content-Type-Options": "nosniff",
			"Referrer-Policy":        "no-referrer",
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
				"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		} {
			if value := got.header.Get(header); value != want {
				t.Errorf("%s has %s %q, want %q", name, header, value, want)
			}
		}
	}
	s.do("GET", "/docs/passwd", "", "Authorization", "").wantMessage(t, 404, "no such route")
	s.do("GET", "/docs/..%2fserver.go", "", "Authorization", "").wantMessage(t, 404, "no such route")
}

// What the policy would have to let through must not be there: the files were written for it.
func TestExplorerLoadsNothingFromElsewhere(t *testing.T) {
	s := start(t)
	absolute := regexp.MustCompile(`(?i)(?:https?:)?//[a-z0-9]`)
	page := s.browse(t, "/docs/").body
	if found := absolute.FindString(page); found != "" {
		t.Errorf("the page has an address: %s", found)
	}
	if inline := regexp.MustCompile(`<script(?: defer)?>|<style| style=| on[a-z]+=`).FindString(page); inline != "" {
		t.Errorf("the page has %s in it, which the policy forbids", inline)
	}
	if found := absolute.FindString(s.browse(t, "/docs/explorer.css").body); found != "" {
		t.Errorf("explorer.css has an address: %s", found)
	}
	settings := s.browse(t, "/docs/explorer.js").body
	if _, code, _ := strings.Cut(settings, `"use strict";`); absolute.MatchString(code) || !strings.Contains(code, "validatorUrl: null") {
		t.Errorf("the settings of Swagger UI send something elsewhere:\n%s", code)
	}
	for _, ref := range regexp.MustCompile(`url\(([^)]{1,12})`).FindAllStringSubmatch(s.browse(t, "/docs/swagger-ui.css").body, -1) {
		if !strings.HasPrefix(strings.Trim(ref[1], `"'`), "data:") {
			t.Errorf("swagger-ui.css loads %s", ref[1])
		}
	}
}

// Compressed for who takes that, the same in plain for who does not.
func TestExplorerCompression(t *testing.T) {
	s := start(t)
	for _, name := range []string{"swagger-ui.css", "swagger-ui-bundle.js"} {
		plain := s.do("GET", "/docs/"+name, "", "Accept-Encoding", "identity")
		packed := s.do("GET", "/docs/"+name, "", "Accept-Encoding", "gzip, br")
		if plain.header.Get("Content-Encoding") != "" || packed.header.Get("Content-Encoding") != "gzip" || packed.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: headers %v and %v", name, plain.header, packed.header)
		}
		r, err := gzip.NewReader(strings.NewReader(packed.body))
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(unpacked, []byte(plain.body)) || len(unpacked) < 2*len(packed.body) {
			t.Errorf("%s: %d octets unpacked, %d in plain, %d packed, %v", name, len(unpacked), len(plain.body), len(packed.body), err)
		}
	}
}
