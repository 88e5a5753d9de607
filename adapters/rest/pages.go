package rest

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html/template"
	"io"
	"io/fs"
	"net/http"

	"github.com/swaggest/swgui/v5/static"
)

//go:embed pages
var pageFiles embed.FS

var problemPage = template.Must(template.ParseFS(pageFiles, "pages/problem.html"))

// asset is a file of a page.
type asset struct {
	path, media string
	file        string
	library     bool // Swagger UI's; most of them are kept gzipped
}

var assets = []asset{
	{path: "/docs", media: typeHTML, file: "docs.html"},
	{path: "/docs/docs.js", media: "text/javascript; charset=utf-8", file: "docs.js"},
	{path: "/docs/swagger-ui-bundle.js", media: "text/javascript; charset=utf-8", file: "swagger-ui-bundle.js.gz", library: true},
	{path: "/docs/swagger-ui.css", media: "text/css; charset=utf-8", file: "swagger-ui.css.gz", library: true},
	{path: "/docs/favicon-32x32.png", media: "image/png", file: "favicon-32x32.png", library: true},
	{path: "/auth/verify", media: typeHTML, file: "verify.html"},
	{path: "/auth/verify.js", media: "text/javascript; charset=utf-8", file: "verify.js"},
	{path: "/auth/page.css", media: "text/css; charset=utf-8", file: "page.css"},
}

// pageRoutes lists the pages, their assets and the document. Everything they load comes from here.
func (s *Server) pageRoutes() []route {
	routes := []route{
		{
			method: http.MethodGet, pattern: "/openapi.json", access: anyone, id: "openapi", tag: "documentation", summary: "This document",
			handle: (*exchange).openAPI, replies: []answer{{status: 200, doc: "OpenAPI 3.1", body: document{}}},
		},
		{
			method: http.MethodGet, pattern: "/problems/{code}", access: anyone, hidden: true, handle: (*exchange).problemPage,
		},
	}
	for _, a := range assets {
		routes = append(routes, route{
			method: http.MethodGet, pattern: a.path, access: anyone, hidden: true,
			handle: func(x *exchange) error { return x.asset(a) },
		})
	}
	return routes
}

func (x *exchange) openAPI() error {
	r := &x.fc.Response
	r.Header.SetContentType(typeJSON)
	r.SetBodyRaw(x.s.openapi)
	return nil
}

// asset serves a file.
func (x *exchange) asset(a asset) error {
	var files fs.FS = static.FS
	name := a.file
	if !a.library {
		files, name = pageFiles, "pages/"+a.file
	}
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	h := &x.fc.Response.Header
	h.Set("Content-Security-Policy", pagePolicy)
	h.SetContentType(a.media)
	if a.library {
		h.Set("Cache-Control", "public, max-age=86400")
	}
	if len(name) > 3 && name[len(name)-3:] == ".gz" {
		h.Add("Vary", "Accept-Encoding")
		if x.fc.Request.Header.HasAcceptEncoding("gzip") {
			h.Set("Content-Encoding", "gzip")
		} else if b, err = gunzip(b); err != nil {
			return err
		}
	}
	x.fc.Response.SetBodyRaw(b)
	return nil
}

func gunzip(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// problemPage explains a problem's code, at the address that its type names.
func (x *exchange) problemPage() error {
	code := x.pathParam("code")
	e, ok := explanations[code]
	if !ok {
		if !validCode(code) {
			return errNoRoute
		}
		e = foreign
	}
	var b bytes.Buffer
	if err := problemPage.Execute(&b, struct {
		Code, Title, Text string
		Status            int
	}{code, e.title, e.text, e.status}); err != nil {
		return err
	}
	h := &x.fc.Response.Header
	h.Set("Content-Security-Policy", pagePolicy)
	h.SetContentType(typeHTML)
	x.fc.Response.SetBodyRaw(b.Bytes())
	return nil
}

// validCode reports whether a code can be one.
func validCode(code string) bool {
	if code == "" || len(code) > 64 {
		return false
	}
	for i := range len(code) {
		if c := code[i]; !alphanumeric(c) && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}
