# syntax=docker/dockerfile:1.19
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X github.com/forge1/forge1/bootstrap.version=$VERSION" -o /out/forge1 ./bootstrap/forge1 \
    && install -d -m 700 /out/data

# Certificates, time zones and a user without rights; no shell.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/forge1 /usr/local/bin/forge1
COPY --from=build --chown=nonroot:nonroot /out/data /data
WORKDIR /
USER nonroot
ENV HOST=0.0.0.0 DATA_DIR=/data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/usr/local/bin/forge1", "health"]
ENTRYPOINT ["/usr/local/bin/forge1"]
CMD ["serve"]
