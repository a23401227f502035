// The programs that are compared.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "stopwatch.h"

namespace bench {

/// How a program is told what to do.
enum class Form {
  service,  // it is the service itself
  root,     // PROGRAM ROOT SERVICE
  bound,    // PROGRAM ROOT / SERVICE
  config,   // PROGRAM CONFIG SERVICE
  reader,   // the same, but it makes no root
  wrapped,  // argument 0 is the service, it makes no root
};

/// One of them, read into memory, since the host's files are not all there in a private world.
struct Contender {
  std::string name;  // for people
  Form form = Form::config;
  std::string image;                 // the program's file
  std::vector<std::string> options;  // arguments before the others
  std::filesystem::path program = {};
};

/// The contender `name` that `path` holds. Throws if it cannot be read.
Contender load_contender(const std::string& name, Form form, const std::filesystem::path& path,
                         const std::vector<std::string>& options = {});

/// The no-op service, the limit, virtuald in three ways, and those of the well-known wrappers that
/// are on PATH or unpacked by tests/run.
std::vector<Contender> load_usual_contenders();

/// Whether it makes a root, and so has to do with what is mounted.
bool makes_root(const Contender& contender);

/// Puts the contender's program where it can be started: from `directory`, which is made.
void install_contender(Contender& contender, const std::filesystem::path& directory);

/// Where everybody finds things.
struct Place {
  std::filesystem::path config;
  std::filesystem::path root;  // a directory
  std::string service;         // a path inside it
};

/// How to start `contender` there.
Launch launch_of(const Contender& contender, const Place& place);

}  // namespace bench
