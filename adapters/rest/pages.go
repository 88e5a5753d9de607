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

const (
	typeScript = "text/javascript; charset=utf-8"
	typeStyle  = "text/css; charset=utf-8"
	typeSVG    = "image/svg+xml"
)

var assets = []asset{
	{path: "/docs", media: typeHTML, file: "docs.html"},
	{path: "/docs/docs.js", media: typeScript, file: "docs.js"},
	{path: "/docs/swagger-ui-bundle.js", media: typeScript, file: "swagger-ui-bundle.js.gz", library: true},
	{path: "/docs/swagger-ui.css", media: typeStyle, file: "swagger-ui.css.gz", library: true},
	{path: "/docs/favicon-32x32.png", media: "image/png", file: "favicon-32x32.png", library: true},
	{path: "/auth/verify", media: typeHTML, file: "verify.html"},
	{path: "/auth/verify.js", media: typeScript, file: "verify.js"},
	{path: "/auth/reset", media: typeHTML, file: "reset.html"},
	{path: "/auth/reset.js", media: typeScript, file: "reset.js"},
	{path: "/auth/invite", media: typeHTML, file: "invite.html"},
	{path: "/auth/invite.js", media: typeScript, file: "invite.js"},
	{path: "/auth/account", media: typeHTML, file: "account.html"},
	{path: "/auth/account.js", media: typeScript, file: "account.js"},
	{path: "/auth/api.js", media: typeScript, file: "api.js"},
	{path: "/auth/session.js", media: typeScript, file: "session.js"},
	{path: "/auth/page.css", media: typeStyle, file: "page.css"},
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
		{
			method: http.MethodPost, pattern: "/auth/qr", access: signedIn, account: true, hidden: true, handle: (*exchange).qr, body: QRBody{},
			example: QRBody{URI: "otpauth://totp/Forge%201:ada?secret=JBSWY3DPEHPK3PXP&issuer=Forge%201"},
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

// QRBody is what the account page wants drawn.
type QRBody struct {
	URI string `json:"otpauth_uri" pattern:"^otpauth://" maxBytes:"1024"`
}

// maxQRBody bounds what is drawn.
const maxQRBody = 1 << 10

// qr draws the key of a second factor, for the account page and whoever is signed in there: nothing of it is kept or logged.
func (x *exchange) qr() error {
	h := &x.fc.Response.Header
	h.Del("Access-Control-Allow-Origin")
	h.Del("Access-Control-Allow-Credentials")
	h.Del("Access-Control-Expose-Headers")
	if site := x.fc.Request.Header.Peek("Sec-Fetch-Site"); len(site) > 0 && string(site) != "same-origin" {
		return errForeignPage
	}
	if len(x.fc.Request.Body()) > maxQRBody {
		return errBodyTooLarge
	}
	var b QRBody
	if err := x.decode(&b); err != nil {
		return err
	}
	svg, err := x.s.deps.QR(b.URI)
	if err != nil {
		return err
	}
	h.SetContentType(typeSVG)
	x.fc.Response.SetBodyRaw(svg)
	return nil
}
