// Package ports is every interface of the hexagon; start here. Package inbound is what the outside may ask of Forge 1, package
// outbound what Forge 1 asks of the outside.
package ports
