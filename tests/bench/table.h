// Tables for people.
#pragma once

#include <string>
#include <vector>

namespace bench {

/// Rows of cells. The first column is set flush left, the others flush right.
using Table = std::vector<std::vector<std::string>>;

/// Prints `table` to standard output, its first row as the heading.
void print_table(const Table& table);

/// `value` with `decimals` digits behind the point.
std::string number(double value, int decimals);

}  // namespace bench
