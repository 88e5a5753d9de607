// Package matrix asks every vendor for everything, by every surface, and writes down what became of it: MATRIX.md. The vendors are simulated, and refuse
// what the real ones refuse.
package matrix
