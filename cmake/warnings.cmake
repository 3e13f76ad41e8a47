add_library(troupe_warnings INTERFACE)
target_compile_options(
  troupe_warnings
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
            $<$<BOOL:${TROUPE_WERROR}>:-Werror>)
