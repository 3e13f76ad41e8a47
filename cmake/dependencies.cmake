find_package(Threads REQUIRED)
find_package(CapnProto CONFIG REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tomlplusplus REQUIRED)

# Debian ships no CMake package for these; one imported target each.
function(troupe_import target library header)
  find_library(${target}_lib ${library} REQUIRED)
  find_path(${target}_include ${header} REQUIRED)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_link_libraries(${target} INTERFACE ${${target}_lib})
  target_include_directories(${target} SYSTEM INTERFACE ${${target}_include})
endfunction()
troupe_import(lmdb::lmdb lmdb lmdb.h)
troupe_import(caf::core caf_core caf/all.hpp)
find_path(cli11_include CLI/CLI.hpp REQUIRED)
add_library(cli11::cli11 INTERFACE IMPORTED GLOBAL)
target_include_directories(cli11::cli11 SYSTEM INTERFACE ${cli11_include})

# The allocator of the programs (not of the layers: a test keeps the C
# library's). Messages are allocated on one loop and freed on another, which
# glibc pays with a lock. Sanitizers bring an allocator of their own.
add_library(troupe_allocator INTERFACE)
if(NOT TROUPE_SANITIZE AND NOT TROUPE_FUZZ)
  find_package(mimalloc REQUIRED)
  target_link_libraries(troupe_allocator INTERFACE mimalloc)
endif()

if(TROUPE_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
if(TROUPE_BENCH)
  find_package(benchmark REQUIRED)
endif()
