package httpapi

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io/fs"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
	swagger "github.com/swaggest/swgui/v5/static"
)

// explorerFiles are the page around Swagger UI. swgui's own page runs scripts that stand in it, which
// the policy below forbids.
//
//go:embed explorer
var explorerFiles embed.FS

// explorerPolicy lets the explorer load from this server and talk to it, and nothing else. Swagger UI
// has pictures in its style sheet, hence data:.
const explorerPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// explorerAssets are the files of the page and where they are; those of Swagger UI are kept compressed.
var explorerAssets = map[string]struct {
	from fs.FS
	name string
}{
	"explorer.js":          {explorerFiles, "explorer/explorer.js"},
	"explorer.css":         {explorerFiles, "explorer/explorer.css"},
	"swagger-ui-bundle.js": {swagger.FS, "swagger-ui-bundle.js.gz"},
	"swagger-ui.css":       {swagger.FS, "swagger-ui.css.gz"},
	"favicon-16x16.png":    {swagger.FS, "favicon-16x16.png"},
	"favicon-32x32.png":    {swagger.FS, "favicon-32x32.png"},
}

// contentTypes are given here, since those that the system knows differ between systems.
var contentTypes = map[string]string{
	".html": fiber.MIMETextHTMLCharsetUTF8,
	".css":  "text/css; charset=utf-8",
	".js":   fiber.MIMETextJavaScriptCharsetUTF8,
	".png":  "image/png",
}

// docs answers /docs and /docs/ with the same page. What it refers to is relative to the address in the
// browser, which a reverse proxy may have put a prefix before, so that the slash makes a difference.
func docs(c *fiber.Ctx) error {
	base := "docs"
	if asked, _, _ := strings.Cut(c.OriginalURL(), "?"); strings.HasSuffix(asked, "/") || c.Params("file") != "" {
		base = "."
	}
	page, err := explorerFiles.ReadFile("explorer/index.html")
	if err != nil {
		return err
	}
	guardExplorer(c, ".html")
	return c.Send(bytes.ReplaceAll(page, []byte("BASE"), []byte(base)))
}

func docsFile(c *fiber.Ctx) error {
	name := c.Params("file")
	if name == "index.html" {
		return docs(c)
	}
	asset, known := explorerAssets[name]
	if !known {
		return fiber.ErrNotFound
	}
	content, err := fs.ReadFile(asset.from, asset.name)
	if err != nil {
		return err
	}
	guardExplorer(c, path.Ext(name))
	c.Set(fiber.HeaderCacheControl, "max-age=3600")
	if path.Ext(asset.name) != ".gz" {
		return c.Send(content)
	}
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if c.Get(fiber.HeaderAcceptEncoding) != "" && c.AcceptsEncodings("gzip") == "gzip" {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(content)
	}
	plain, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return err
	}
	return c.SendStream(plain)
}

// guardExplorer sets the headers that all of the explorer has; ext is that of what is sent.
func guardExplorer(c *fiber.Ctx, ext string) {
	c.Set(fiber.HeaderContentType, contentTypes[ext])
	c.Set(fiber.HeaderContentSecurityPolicy, explorerPolicy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
}
