# Sums a coverage profile up, a line for each package, and fails when the whole
# is below the floor (-v floor=90). A block that several test binaries report is
# counted once, and is covered when one of them covers it.
# Usage: awk -v floor=90 -f .ci/coverage.awk coverage/go.out
NR > 1 {
	statements[$1] = $2
	if ($3 > 0) hit[$1] = 1
}
END {
	for (block in statements) {
		package = block
		sub(/\/[^\/]*$/, "", package)
		sub(/^github\.com\/[^\/]*\/[^\/]*\//, "", package)
		all[package] += statements[block]
		total += statements[block]
		if (block in hit) { covered[package] += statements[block]; good += statements[block] }
	}
	if (total == 0) { print "coverage: the profile is empty" > "/dev/stderr"; exit 1 }
	sort = "sort"
	for (package in all) printf "%6.1f %%  %s\n", 100 * covered[package] / all[package], package | sort
	close(sort)
	printf "%6.1f %%  statements of domain and application (floor %d %%)\n", 100 * good / total, floor
	if (100 * good < floor * total) { print "coverage: below the floor" > "/dev/stderr"; exit 1 }
}
