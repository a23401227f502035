// Two kinds of plot, as SVG that is legible on light and dark pages.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bench {

struct Bar {
  std::string name;
  double value = 0;
  bool is_ours = false;
};

/// Horizontal bars, with their values.
std::string draw_bars(const std::string& title, const std::string& unit,
                      const std::vector<Bar>& bars);

struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;  // all above 0
  bool is_ours = false;
};

/// Curves over two logarithmic axes.
std::string draw_curves(const std::string& title, const std::string& x_name,
                        const std::string& y_name, const std::vector<Curve>& curves);

}  // namespace bench
