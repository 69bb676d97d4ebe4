# Each target does its own set-up: Go is all that a fresh Linux machine needs (scripts/ensure-engine.sh brings Docker).
SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO_BUILD := CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Runs the rest of a recipe's line with the nginx image that this machine can have.
WITH_NGINX = image=$$(scripts/nginx-image.sh) && BLUEGREEN_NGINX_IMAGE=$$image

# Ryuk's image cannot be had without a registry; inside a container, published ports are on its own loopback.
export TESTCONTAINERS_RYUK_DISABLED := true
ifneq ($(wildcard /.dockerenv),)
export TESTCONTAINERS_HOST_OVERRIDE := 127.0.0.1
endif

.PHONY: help build install uninstall image release example-images runtime-images nginx-image ensure-engine ensure-chromium ensure-clients ensure-sshd ensure-compose demo demo-down clean-images test unit e2e bench soak docs lint clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/bluegreen
	$(GO_BUILD) -o bin/bluegreen ./cmd/bluegreen

PREFIX ?= /usr/local
# Nothing there, or something that says to docker that it is bluegreen's.
PLUGIN_OURS = { [ ! -e $(PLUGIN) ] || $(PLUGIN) docker-cli-plugin-metadata 2>/dev/null | grep -q '"Vendor":"bluegreen"'; }
PLUGIN := $(DESTDIR)$(PREFIX)/lib/docker/cli-plugins/docker-bluegreen
install: build ## the binary into $(PREFIX)/bin, and as docker's plugin (docker looks below /usr/local and /usr)
	install -D -m 755 bin/bluegreen $(DESTDIR)$(PREFIX)/bin/bluegreen
	install -d $(dir $(PLUGIN))
	@if $(PLUGIN_OURS); then ln -sfn ../../../bin/bluegreen $(PLUGIN); \
		else echo "$(PLUGIN) is not bluegreen's: it is left alone" >&2; fi

uninstall: ## takes away what install put there
	@if $(PLUGIN_OURS); then rm -f $(PLUGIN); else echo "$(PLUGIN) is not bluegreen's: it is left alone" >&2; fi
	rm -f $(DESTDIR)$(PREFIX)/bin/bluegreen

image: ensure-engine ## the image bluegreen:dev
	GOOS=linux GOARCH=$$(docker version --format '{{.Server.Arch}}') $(GO_BUILD) -o bin/image/bluegreen ./cmd/bluegreen
	@said=$$(docker build -q --build-arg VERSION=$(VERSION) -t bluegreen:dev . 2>&1) || { echo "$$said" >&2; exit 1; }
	@echo bluegreen:dev

DIST ?= dist
release: ## archives and images of all platforms, with their sums, into $(DIST); VERSION=v1.2.3 names it
	go run ./release -version '$(VERSION)' -out '$(DIST)'

example-images: ensure-engine ## hello:v1 and hello:v2 (examples/hello)
	scripts/app-image.sh

runtime-images: ensure-engine ## the images of examples/runtimes: gunicorn, node, php, puma and tomcat, on Debian's packages
	scripts/runtime-image.sh

nginx-image: ensure-engine ## an nginx image with keepalive_min_timeout: pulled, else built from Debian's packages
	scripts/nginx-image.sh

ensure-engine: ## a Docker engine that answers, installed if need be
	@scripts/ensure-engine.sh

ensure-chromium: ## a Chromium for the tests of the rehearsal's page, installed if need be
	@scripts/ensure-chromium.sh

ensure-clients: ## curl, wrk and h2load for the end-to-end tests, installed if need be
	@scripts/ensure-clients.sh

ensure-sshd: ## an sshd for the tests of engines over ssh, installed if need be, not started
	@scripts/ensure-sshd.sh

ensure-compose: ## docker compose for the tests of the documentation, installed if need be
	@scripts/ensure-compose.sh

demo: ensure-engine build example-images ## a deploy, a swap and a rollback under load, left running on http://127.0.0.1:8080
	$(WITH_NGINX) go run ./e2e/demo

# What something else uses stays, and is named.
REMOVE_IMAGES = for image in $(1); do \
		docker image inspect "$$image" >/dev/null 2>&1 || continue; \
		docker rmi "$$image" >/dev/null 2>&1 || echo "$$image stays: something else uses it" >&2; \
	done

demo-down: ensure-engine build ## removes every trace of the demo, its images among them
	bin/bluegreen down -f examples/hello/compose.yaml --volumes
	rm -f examples/hello/.env
	@$(call REMOVE_IMAGES,hello:v1 hello:v2 bluegreen/nginx:1.30-debian2 bluegreen/lock:latest)

clean-images: ensure-engine ## removes every image that the targets above built
	@$(call REMOVE_IMAGES,$$(docker images --filter label=bluegreen.image --format '{{if eq .Tag "<none>"}}{{.ID}}{{else}}{{.Repository}}:{{.Tag}}{{end}}') bluegreen/lock:latest)

test: ensure-engine ensure-chromium build image example-images ## all tests, unit and end-to-end
	$(WITH_NGINX) BLUEGREEN_TEST_ENGINE=1 go test -count=1 -p 2 $$(go list ./... | grep -v -x bluegreen/e2e)
	$(MAKE) --no-print-directory e2e

unit: ## tests that need no engine (those of the rehearsal's page need a Chromium, see ensure-chromium)
	go test -count=1 -p 2 $$(go list ./... | grep -v -x bluegreen/e2e)

# The tests that run side by side mostly wait: for a drain, a lease, an engine. Those with much load run alone before them.
e2e: ensure-engine build image example-images ## end-to-end tests
	@scripts/ensure-sshd.sh || echo "there is no sshd: the test of an engine over ssh is skipped" >&2
	@scripts/ensure-compose.sh || echo "there is no docker compose: pages of the documentation that call it are skipped" >&2
	@scripts/ensure-clients.sh || echo "curl, wrk and h2load are not all here: their test is skipped" >&2
	@TAGS=v1 scripts/runtime-image.sh >/dev/null || echo "the images of examples/runtimes cannot be built here: their tests are skipped" >&2
	old=$$(scripts/nginx-image.sh --old || true) && $(WITH_NGINX) BLUEGREEN_NGINX_OLD_IMAGE=$$old \
		BLUEGREEN_TEST_ENGINE=1 go test -count=1 -v -timeout 70m -parallel 4 ./e2e

bench: ensure-engine build example-images ## the measured figures, side by side in one run
	$(WITH_NGINX) BLUEGREEN_TEST_ENGINE=1 BLUEGREEN_BENCH=1 go test -count=1 -timeout 35m -run '^$$' -bench . ./e2e/... ./rehearse/...

soak: ensure-engine build example-images ## swaps under load for a long time (BLUEGREEN_SOAK_FOR, default 1h)
	$(WITH_NGINX) BLUEGREEN_TEST_ENGINE=1 BLUEGREEN_SOAK=1 go test -count=1 -timeout 3h -v -run Soak ./e2e

docs: ## docs/reference.md and docs/x-bluegreen.schema.json, made of the code that reads the keys
	go run ./cmd/bluegreen schema >docs/x-bluegreen.schema.json.new && mv docs/x-bluegreen.schema.json.new docs/x-bluegreen.schema.json
	go run ./cmd/bluegreen schema --reference >docs/reference.md.new && mv docs/reference.md.new docs/reference.md

lint: ## formatting, vet, staticcheck, scripts
	@files=$$(gofmt -l .); [ -z "$$files" ] || { echo "gofmt -w needed:"; echo "$$files"; exit 1; } >&2
	go vet ./...
	go run $(STATICCHECK) ./...
	for script in scripts/*.sh examples/hello/codedeploy/*.sh examples/runtimes/*/*.sh; do sh -n $$script || exit 1; done
	bash -n .ci/run
	if command -v shellcheck >/dev/null; then shellcheck scripts/*.sh examples/hello/codedeploy/*.sh examples/runtimes/*/*.sh .ci/run; fi

clean: ## removes what was built (not the images: clean-images does)
	rm -rf bin dist
