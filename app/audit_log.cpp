// SPDX-License-Identifier: Apache-2.0
#include "app/audit_log.hpp"

#include "app/config.hpp"

#include <utility>

namespace troupe::app {

std::filesystem::path audit_folder(const broker& engine) {
  return engine.data_path() / "audit";
}

core::result<std::unique_ptr<storage::audit::recorder>>
open_audit(const settings& from, const broker& engine,
           std::function<void(std::string_view, std::string_view)> news) {
  auto key = audit_key(from);
  if (!key)
    return key.error();
  const auto& audit = from.audit;
  storage::audit::recorder_options options;
  options.files.folder = audit_folder(engine);
  options.files.cluster = engine.identity().cluster;
  options.files.node = engine.identity().node;
  options.files.segment_bytes = audit.segment_bytes;
  options.files.keep_bytes = audit.keep_bytes;
  options.files.keep_time = audit.keep_time;
  options.files.key = std::move(*key);
  options.answers = audit.answers;
  options.overflow = audit.overflow;
  options.messages = audit.messages;
  options.payload = audit.payload;
  options.payload_max = audit.payload_bytes_max;
  options.queue_bytes_max = audit.queue_bytes_max;
  options.sync_interval = audit.sync_interval;
  options.on_news = std::move(news);
  return storage::audit::recorder::open(storage::posix_file_system(),
                                        engine.clock(), std::move(options));
}

} // namespace troupe::app
