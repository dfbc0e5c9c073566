# The image of one node, configured by environment variables (`docker run minichain start --help` lists every setting).
# Works with the classic builder and with BuildKit.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund

FROM packages AS build
COPY nest-cli.json .swcrc tsconfig.json tsconfig.build.json buf.yaml buf.gen.yaml ./
COPY proto proto
COPY scripts scripts
COPY src src
RUN npm run --silent build

FROM packages AS dependencies
# The optional packages are Node.js itself, which the base image has.
RUN npm prune --omit=dev --omit=optional --no-audit --no-fund
# A third of the files are for other platforms, for compilers and for editors.
RUN cd node_modules/better-sqlite3 && rm -rf deps src \
 && find prebuilds -mindepth 1 -maxdepth 1 ! -name "linux-$(node -p process.arch)*" -exec rm -rf {} + \
 && find .. -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -delete

FROM ${NODE_IMAGE}
# As PID 1, Node.js would ignore a SIGTERM that arrives before its handlers are installed.
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && ln -s /app/scripts/minichain.mjs /usr/local/bin/minichain \
 && install -d -o node -g node /data
COPY --from=dependencies /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY --from=build /app/scripts/minichain.mjs /app/scripts/
COPY package.json LICENSE /app/

ENV NODE_ENV=production \
    MINICHAIN_NODE_DATA_DIR=/data \
    MINICHAIN_NODE_HTTP_HOST=0.0.0.0 \
    MINICHAIN_NODE_P2P_HOST=0.0.0.0 \
    MINICHAIN_NODE_LOG_FORMAT=json
VOLUME /data
WORKDIR /data
EXPOSE 8091 9091
USER node
# Prints the reasons, for `docker inspect`. `fetch` would refuse some ports, and a proxy of the environment is not for this.
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["node", "-e", \
  "require('node:http').get({ host: '127.0.0.1', port: process.env.MINICHAIN_NODE_HTTP_PORT || 8091, path: '/health/ready', agent: false }, (r) => { process.exitCode = r.statusCode === 200 ? 0 : 1; r.pipe(process.stdout); }).on('error', (e) => { console.log(String(e)); process.exitCode = 1; })"]
ENTRYPOINT ["tini", "--", "minichain"]
CMD ["start"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="minichain" \
      org.opencontainers.image.description="A proof-of-work blockchain that a person can run, break and read" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
