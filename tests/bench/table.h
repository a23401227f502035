// Tables for the output.
#pragma once

#include <string>
#include <vector>

namespace bench {

/// Rows of cells. The first column is aligned left, the others right.
using Table = std::vector<std::vector<std::string>>;

/// Prints `table` to standard output, its first row as the heading.
void print_table(const Table& table);

/// `value` with `decimals` digits after the point.
std::string number(double value, int decimals);

}  // namespace bench
