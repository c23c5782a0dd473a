package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const repository = "../../.."

var (
	// A Markdown link or image, without its anchor.
	link = regexp.MustCompile(`\]\(([^)\s#]+)(?:#[^)\s]*)?\)`)
	// A page of docs/, named from the root of the repository.
	page = regexp.MustCompile(`\bdocs/([\w./-]+\.md)\b`)
	// A page with its sections: "docs/spec.md sections 5.4, 7 and 13", "docs/spec.md 4.4", also over two lines of a comment.
	section = regexp.MustCompile("(docs/)?\\b([\\w/-]+\\.md)[`)]*,?" + gap + "(sections?" + gap + ")?(" + number + "(?:(?:,| and| to| or)" + gap + number + ")*)")
	heading = regexp.MustCompile(`(?m)^#{2,4} (\d+(?:\.\d+)*)\.? `)
	numbers = regexp.MustCompile(number)
)

const (
	gap    = `(?:[ \t]|\n[ \t]*(?://|\*|#)?[ \t]*)+`
	number = `\d+(?:\.\d+)*`
)

// textFiles returns the repository's text files that people write, by their path from its root.
func textFiles(t *testing.T) map[string]string {
	t.Helper()
	kinds := []string{".md", ".go", ".ts", ".tsx", ".js", ".mjs", ".proto", ".yml", ".yaml", ".json"}
	out := map[string]string{}
	err := filepath.WalkDir(repository, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(repository, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			built := slices.Contains([]string{"node_modules", "testdata", "dist", "screenshots"}, d.Name())
			if built || rel == "bin" || rel == "data" || rel == ".git" {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !slices.Contains(kinds, path.Ext(rel)) && rel != "Makefile" {
			return nil
		}
		b, err := os.ReadFile(name)
		out[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func inRepository(name string) bool {
	_, err := os.Stat(filepath.Join(repository, filepath.FromSlash(name)))
	return err == nil
}

func lineOf(text string, at int) int { return 1 + strings.Count(text[:at], "\n") }

// TestCitations holds every reference to a page of docs/ to what is there: links between pages, pages that comments name,
// and the numbers of their sections. Decision records are history: their links must lead somewhere, and what they name in
// passing need not.
func TestCitations(t *testing.T) {
	files := textFiles(t)
	sections := map[string][]string{} // by page
	for name, text := range files {
		if rest, ok := strings.CutPrefix(name, "docs/"); ok {
			for _, m := range heading.FindAllStringSubmatch(text, -1) {
				sections[rest] = append(sections[rest], m[1])
			}
		}
	}
	if len(files) < 400 || len(sections["spec.md"]) < 30 || len(sections["design.md"]) != 12 {
		t.Fatalf("found %d files, %d sections of spec.md and %d of design.md: this test does not see the repository",
			len(files), len(sections["spec.md"]), len(sections["design.md"]))
	}

	for name, text := range files {
		if path.Ext(name) == ".md" {
			for _, m := range link.FindAllStringSubmatchIndex(text, -1) {
				to := text[m[2]:m[3]]
				if strings.Contains(to, ":") { // another site
					continue
				}
				if to = path.Join(path.Dir(name), to); !inRepository(to) {
					t.Errorf("%s:%d links to %s, which is not there", name, lineOf(text, m[0]), to)
				}
			}
		}
		if strings.HasPrefix(name, "docs/adr/") {
			continue
		}
		for _, m := range page.FindAllStringSubmatchIndex(text, -1) {
			if to := "docs/" + text[m[2]:m[3]]; !inRepository(to) {
				t.Errorf("%s:%d names %s, which is not there", name, lineOf(text, m[0]), to)
			}
		}
		for _, m := range section.FindAllStringSubmatchIndex(text, -1) {
			to := text[m[4]:m[5]]
			if m[2] < 0 && !strings.HasPrefix(name, "docs/") { // a page of another folder
				continue
			}
			if m[6] < 0 && sections[to] == nil { // "query.md 3 times": no section is meant
				continue
			}
			for _, n := range numbers.FindAllString(text[m[8]:m[9]], -1) {
				if !slices.Contains(sections[to], n) {
					t.Errorf("%s:%d cites section %s of docs/%s, which has none of that number", name, lineOf(text, m[0]), n, to)
				}
			}
		}
	}
}
