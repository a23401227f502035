#include "virtuald/front.h"

#include "virtuald/isolation.h"
#include "virtuald/log.h"
#include "virtuald/root.h"

namespace virtuald {

int fail(const Error& error, int status) {
  log_message(Priority::error, error.text());
  return status;
}

int open_or_refuse(const char* path, Subject subject, const Options& options, Error& error) {
  const auto [outcome, descriptor] = open_trusted(path, subject, error);
  if (outcome == Opened::Outcome::distrusted) {
    if (!options.trust_is_optional) {
      return -1;
    }
    log_message(Priority::warning, error.text());
  }
  return descriptor;
}

bool make_root(int directory, const char* name, const Options& options, LineReader& reader,
               Error& error) {
  const Privileges privileges =
      options.user != nullptr ? Privileges::none_new : Privileges::of_files;
  return options.isolate ? isolate(directory, name, privileges, reader, error)
                         : enter_root(directory, name, error);
}

}  // namespace virtuald
