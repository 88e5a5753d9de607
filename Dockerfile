# syntax=docker/dockerfile:1.19
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
ENV CGO_ENABLED=0 GOCACHE=/cache/build GOMODCACHE=/cache/mod
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/cache go mod download
COPY . .
ARG VERSION=
RUN --mount=type=cache,target=/cache \
    go build -trimpath -ldflags="-s -w -X github.com/forge1/forge1/bootstrap.version=$VERSION" -o /out/usr/local/bin/forge1 ./bootstrap/forge1 \
    && install -d -m 700 -o 65532 -g 65532 /out/data \
    && install -d -m 1777 /out/tmp

# The binary, the certificates of the vendors' servers, and nothing else.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/ /
USER 65532:65532
# GOMEMLIMIT is Go's soft limit: the collector works harder near it. Four fifths of the container's memory is a good value.
ENV HOST=0.0.0.0 DATA_DIR=/data GOMEMLIMIT=400MiB
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/usr/local/bin/forge1", "health"]
ENTRYPOINT ["/usr/local/bin/forge1"]
CMD ["serve"]
