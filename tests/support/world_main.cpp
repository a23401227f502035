#include "world.h"

int main(int argc, char** argv) {
  return testing_support::run_tests_in_private_world(argc, argv);
}
