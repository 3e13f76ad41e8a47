# cmake -DROOT=<repository> -P cmake/check_layers.cmake
#
# Compares every #include with the table of DESIGN: which layer may include
# which, and which third party belongs where. Fails on a back edge, and on a
# source that does not begin with its own header.
cmake_minimum_required(VERSION 3.25)

set(layers core schema storage cluster actors net app)
set(core_may "")
set(schema_may core)
set(storage_may core schema)
set(cluster_may core schema)
set(actors_may core schema storage cluster)
set(net_may core)
set(app_may core schema storage cluster actors net)

# Third parties banned in a layer, by the start of the include path.
set(core_ban caf/ boost/ capnp/ kj/ lmdb openssl/ spdlog/ fmt/ toml CLI/ zlib)
set(schema_ban caf/ boost/ lmdb openssl/ spdlog/ fmt/ toml CLI/ zlib)
set(storage_ban caf/ boost/ openssl/ capnp/ kj/ spdlog/ toml CLI/)
set(cluster_ban caf/ boost/ lmdb openssl/ capnp/ kj/ spdlog/ toml CLI/)
set(actors_ban boost/ openssl/ lmdb capnp/ kj/ toml CLI/)
set(net_ban lmdb capnp/ kj/ toml CLI/)
set(app_ban lmdb capnp/ kj/)

# The exceptions, each by file or folder, with its reason.
#  - a conversion to or from Cap'n Proto lives in <type>_wire.cpp
set(wire_allow capnp/ kj/)
#  - the runtime puts actors on the I/O loops, so it owns both CAF and Asio
set(runtime_allow boost/asio boost/system)
#  - links open sockets and prove secrets before CAF's network sees a peer
set(links_allow boost/asio boost/system openssl/)
#  - the audit log is chained and sealed by hashes that are OpenSSL's
set(digest_allow openssl/)
#  - net reaches actors through their interfaces and the loops only
set(net_actor_headers "^actors/(handles|fwd)\\.hpp$|^actors/runtime/")
#  - a protocol with messages in Cap'n Proto has their schema in schema/, like
#    all of them, and converts them itself
set(net_generated_headers "^schema/[a-z]+\\.capnp\\.h$")

set(errors 0)
foreach(layer IN LISTS layers)
  file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${layer}/*.hpp
       ${ROOT}/${layer}/*.cpp)
  foreach(f IN LISTS files)
    file(STRINGS ${ROOT}/${f} includes REGEX "^[ \t]*#[ \t]*include")
    string(REGEX REPLACE "cpp$" "hpp" own ${f})
    if(NOT own STREQUAL f AND own IN_LIST files)
      list(GET includes 0 first)
      if(NOT first STREQUAL "#include \"${own}\"")
        message("${f}: has to include its own header first")
        math(EXPR errors "${errors} + 1")
      endif()
    endif()
    foreach(i IN LISTS includes)
      string(REGEX REPLACE "^[^\"<]*[\"<]([^\">]+)[\">].*$" "\\1" path "${i}")
      string(REGEX REPLACE "/.*$" "" top "${path}")
      if(top IN_LIST layers AND NOT top STREQUAL layer
         AND NOT top IN_LIST ${layer}_may)
        if(NOT (layer STREQUAL "net" AND path MATCHES "${net_actor_headers}") AND
           NOT (f MATCHES "^net/.*_wire\\.cpp$" AND
                path MATCHES "${net_generated_headers}"))
          message("${f}: ${layer}/ may not include ${path}")
          math(EXPR errors "${errors} + 1")
        endif()
      endif()
      # Inside net/, a protocol folder is pure and knows no other one.
      if(f MATCHES "^net/(mq|mqtt|ws|msgbus|zenconn)/" AND path MATCHES "^(boost/asio|openssl/|caf/|actors/)")
        message("${f}: a codec or gate may not include ${path}")
        math(EXPR errors "${errors} + 1")
      endif()
      foreach(b IN LISTS ${layer}_ban)
        if(path MATCHES "^${b}")
          set(allowed OFF)
          if(f MATCHES "_wire\\.cpp$" AND b IN_LIST wire_allow)
            set(allowed ON)
          endif()
          if(f MATCHES "^actors/runtime/")
            foreach(a IN LISTS runtime_allow)
              if(path MATCHES "^${a}")
                set(allowed ON)
              endif()
            endforeach()
          endif()
          if(f STREQUAL "storage/audit/digest.cpp" AND b IN_LIST digest_allow)
            set(allowed ON)
          endif()
          if(f MATCHES "^actors/links/")
            foreach(a IN LISTS links_allow)
              if(path MATCHES "^${a}")
                set(allowed ON)
              endif()
            endforeach()
          endif()
          if(NOT allowed)
            message("${f}: ${layer}/ may not include third-party ${path}")
            math(EXPR errors "${errors} + 1")
          endif()
        endif()
      endforeach()
    endforeach()
  endforeach()
endforeach()
if(errors GREATER 0)
  message(FATAL_ERROR "${errors} includes out of order")
endif()
message("layers: every include points the right way")
