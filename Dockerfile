# One node. Settings come as TROUPE_SECTION__KEY; `troupe config explain` lists
# them. Durable data is in /var/lib/troupe.
#
#   docker build -t troupe --build-arg COMMIT=$(git describe --always) .
#   docker run -p 8080:8080 -v troupe:/var/lib/troupe troupe

FROM debian:bookworm-slim AS build
WORKDIR /src
# Apart from the sources: installed again only when the list changes.
COPY scripts/install-packages scripts/packages.txt scripts/
RUN scripts/install-packages build
COPY . .
ARG COMMIT=unknown
RUN cmake --preset release -DTROUPE_TESTS=OFF -DTROUPE_BENCH=OFF \
      -DTROUPE_COMMIT="$COMMIT" \
    && cmake --build --preset release --target troupe \
    && objcopy --strip-debug build/release/troupe /troupe

FROM debian:bookworm-slim
COPY scripts/install-packages scripts/packages.txt /tmp/
RUN /tmp/install-packages run \
    && rm -rf /var/lib/apt/lists/* /tmp/install-packages /tmp/packages.txt \
    && useradd --system --user-group --home-dir /var/lib/troupe troupe \
    && install -d -o troupe -g troupe -m 0700 /var/lib/troupe
COPY --from=build /troupe /usr/bin/troupe
ENV TROUPE_NODE__DATA=/var/lib/troupe \
    TROUPE_LISTEN__PUBLIC=0.0.0.0:8080
USER troupe
VOLUME /var/lib/troupe
# Clients; nodes among themselves. The admin listener stays on the loopback.
EXPOSE 8080 7001
# Drains: clients are told, everything is written.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
  CMD ["troupe", "ready"]
ENTRYPOINT ["troupe"]
CMD ["serve"]
