// The programs that are compared.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "stopwatch.h"

namespace bench {

/// The form of a program's arguments.
enum class Form {
  service,  // it is the service itself
  root,     // PROGRAM ROOT SERVICE
  bound,    // PROGRAM ROOT / SERVICE
  config,   // PROGRAM CONFIG SERVICE
  reader,   // PROGRAM FILE SERVICE, makes no root
  wrapped,  // argument 0 is the service, makes no root
};

/// A program, read into memory because a private world lacks some of the host's files.
struct Contender {
  std::string name;  // in the output
  Form form = Form::config;
  std::string image;                 // the program's file
  std::vector<std::string> options;  // arguments before the others
  std::filesystem::path program = {};
};

/// Loads the contender `name` from `path`. Throws if it cannot be read.
Contender load_contender(const std::string& name, Form form, const std::filesystem::path& path,
                         const std::vector<std::string>& options = {});

/// The no-op service, the limit, virtuald in three forms, and the well-known wrappers that are on
/// PATH or were unpacked by tests/run.
std::vector<Contender> load_usual_contenders();

/// Whether it makes a root, so that mounts matter to it.
bool makes_root(const Contender& contender);

/// Installs the contender's program in `directory`, which is created if it does not exist.
void install_contender(Contender& contender, const std::filesystem::path& directory);

/// The paths that all contenders use.
struct Place {
  std::filesystem::path config;
  std::filesystem::path root;  // a directory
  std::string service;         // a path inside it
};

/// How to start `contender` with the paths of `place`.
Launch launch_of(const Contender& contender, const Place& place);

}  // namespace bench
