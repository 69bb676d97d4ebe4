package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// bomb is a file whose anchors, resolved, have ten to the power of levels items.
func bomb(levels int) string {
	text := "x-a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range levels - 1 {
		text += fmt.Sprintf("x-a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	return text
}

// TestLoad_HostileFiles: what no editor writes is refused, as wrong configuration, before it costs time or memory.
func TestLoad_HostileFiles(t *testing.T) {
	for name, text := range map[string]string{
		"anchors of anchors":            bomb(9) + minimal,
		"an anchor in itself":           "x-a: &a [*a]\n" + minimal,
		"deep lists":                    "x-a: " + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "\n" + minimal,
		"deep sections":                 "x-a: " + strings.Repeat("{a: ", 20_000) + strings.Repeat("}", 20_000) + "\n" + minimal,
		"lists never closed":            "x-a: " + strings.Repeat("[", 200_000),
		"a key twice":                   strings.Replace(minimal, "x-bluegreen: {}", "x-bluegreen: {watch: 1s, watch: 2s}", 1),
		"a service twice":               minimal + "services: {}\n",
		"binary":                        "\x7fELF\x02\x01\x01\x00\x00\x00",
		"zeros":                         strings.Repeat("\x00", 4096),
		"an image of another kind":      "\x89PNG\r\n\x1a\n",
		"not UTF-8":                     "services: {\xff\xfe: {}}",
		"nothing":                       "",
		"a comment":                     "# nothing\n",
		"a text":                        "services",
		"a list":                        "- services\n",
		"several documents":             minimal + "---\nservices: {web: 5}\n",
		"an unknown tag":                "services: !!python/object:os.system {web: {}}\n",
		"keys that are no texts":        "services: {[a]: {}, 5: {}}\n",
		"an include of itself":          "include: [compose.yaml]\n" + minimal,
		"a service that extends itself": "services: {web: {extends: web, image: a, x-bluegreen: {}}}\n",
		"a variable without an end":     "services: {web: {image: \"${A\", x-bluegreen: {}}}\n",
		"a variable that is required":   "services: {web: {image: \"${NOT_SET:?give it}\", x-bluegreen: {}}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := Load(t.Context(), Options{Dir: files(t, "compose.yaml", text)})
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Where == "" || e.What == "" {
				t.Errorf("%T: %.200v", err, err)
			} else if len(e.Error()) > 1000 {
				t.Errorf("%d bytes of error: %.300s", len(e.Error()), e.Error())
			}
			t.Logf("%v: %.200v", time.Since(start), err)
		})
	}
}
