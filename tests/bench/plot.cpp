#include "plot.h"

#include <algorithm>
#include <cmath>

#include "table.h"

namespace bench {
namespace {

// Of medium lightness, because the page may be light or dark.
constexpr const char* kInk = "#80868e";
constexpr const char* kOurs = "#2f81f7";
constexpr const char* kOthers[] = {"#9a7b2f", "#3f9b53", "#b0578d"};
constexpr double kWidth = 720;

std::string escape(const std::string& text) {
  std::string escaped;
  for (const char character : text) {
    escaped += character == '&' ? "&amp;" : character == '<' ? "&lt;" : std::string(1, character);
  }
  return escaped;
}

std::string coordinate(const char* name, double value) {
  return std::string(" ") + name + "=\"" + number(value, 1) + "\"";
}

/// `anchor` is start, middle or end.
std::string text_at(double x, double y, const char* anchor, const std::string& text,
                    const char* colour = kInk) {
  return "<text" + coordinate("x", x) + coordinate("y", y) + " text-anchor=\"" + anchor +
         "\" fill=\"" + colour + "\">" + escape(text) + "</text>\n";
}

std::string line(double x1, double y1, double x2, double y2) {
  return "<line" + coordinate("x1", x1) + coordinate("y1", y1) + coordinate("x2", x2) +
         coordinate("y2", y2) + " stroke=\"" + kInk + "\" stroke-opacity=\"0.35\"/>\n";
}

std::string document(double height, const std::string& title, const std::string& body) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth, 0) + " " +
         number(height, 0) + "\" font-family=\"sans-serif\" font-size=\"14\" role=\"img\">\n" +
         "<title>" + escape(title) + "</title>\n" + text_at(12, 24, "start", title) + body +
         "</svg>\n";
}

/// 1000000 as "1,000,000".
std::string grouped(double value) {
  std::string text = number(value, value < 1 ? 2 : 0);
  for (auto at = static_cast<int>(text.size()) - 3; value >= 1000 && at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

/// A logarithmic axis over whole powers of ten.
class Axis {
 public:
  Axis(double low, double high, double begin, double end)
      : low_(std::floor(std::log10(low) + 1e-9)),
        high_(std::ceil(std::log10(high) - 1e-9)),
        begin_(begin),
        end_(end) {}

  [[nodiscard]] double at(double value) const {
    return begin_ + (std::log10(value) - low_) / (high_ - low_) * (end_ - begin_);
  }

  [[nodiscard]] std::vector<double> ticks() const {
    std::vector<double> values;
    for (double power = low_; power <= high_; ++power) {
      values.push_back(std::pow(10, power));
    }
    return values;
  }

 private:
  double low_;
  double high_;
  double begin_;
  double end_;
};

const char* colour_of(bool is_ours, std::size_t& others) {
  return is_ours ? kOurs : kOthers[others++ % std::size(kOthers)];
}

}  // namespace

std::string draw_bars(const std::string& title, const std::string& unit,
                      const std::vector<Bar>& bars) {
  constexpr double kLeft = 190;
  constexpr double kRight = kWidth - 90;
  constexpr double kStep = 30;
  double largest = 0;
  for (const Bar& bar : bars) {
    largest = std::max(largest, bar.value);
  }
  double y = 44;
  std::string body;
  for (const Bar& bar : bars) {
    const double length = std::max(1.0, bar.value / largest * (kRight - kLeft));
    const char* const colour = bar.is_ours ? kOurs : kInk;
    body += text_at(kLeft - 10, y + 15, "end", bar.name, colour);
    body += "<rect" + coordinate("x", kLeft) + coordinate("y", y) + coordinate("width", length) +
            " height=\"20\" rx=\"2\" fill=\"" + colour + "\"/>\n";
    body += text_at(kLeft + length + 8, y + 15, "start", grouped(bar.value) + " " + unit, colour);
    y += kStep;
  }
  return document(y + 10, title, body);
}

std::string draw_curves(const std::string& title, const std::string& x_name,
                        const std::string& y_name, const std::vector<Curve>& curves) {
  constexpr double kLeft = 80;
  constexpr double kRight = kWidth - 190;
  constexpr double kTop = 60;
  constexpr double kBottom = 340;
  std::vector<double> xs;
  std::vector<double> ys;
  for (const Curve& curve : curves) {
    for (const auto& [x, y] : curve.points) {
      xs.push_back(x);
      ys.push_back(y);
    }
  }
  const auto [x_low, x_high] = std::minmax_element(xs.begin(), xs.end());
  const auto [y_low, y_high] = std::minmax_element(ys.begin(), ys.end());
  const Axis x_axis(*x_low, *x_high, kLeft, kRight);
  const Axis y_axis(*y_low, *y_high, kBottom, kTop);
  std::string body = text_at(12, 48, "start", y_name);
  for (const double tick : x_axis.ticks()) {
    body += line(x_axis.at(tick), kTop, x_axis.at(tick), kBottom);
    body += text_at(x_axis.at(tick), kBottom + 20, "middle", grouped(tick));
  }
  for (const double tick : y_axis.ticks()) {
    body += line(kLeft, y_axis.at(tick), kRight, y_axis.at(tick));
    body += text_at(kLeft - 8, y_axis.at(tick) + 5, "end", grouped(tick));
  }
  body += text_at(kRight, kBottom + 42, "end", x_name);
  std::size_t others = 0;
  for (const Curve& curve : curves) {
    const char* const colour = colour_of(curve.is_ours, others);
    std::string points;
    for (const auto& [x, y] : curve.points) {
      points += number(x_axis.at(x), 1) + "," + number(y_axis.at(y), 1) + " ";
    }
    body += "<polyline points=\"" + points + "\" fill=\"none\" stroke=\"" + colour +
            "\" stroke-width=\"" + (curve.is_ours ? "3" : "2") + "\"/>\n";
    body +=
        text_at(kRight + 8, y_axis.at(curve.points.back().second) + 5, "start", curve.name, colour);
  }
  return document(kBottom + 56, title, body);
}

}  // namespace bench
