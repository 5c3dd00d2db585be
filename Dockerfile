# One image for every service of topology.yaml; SERVICE says which one a container is.
# The same Node as the one that package.json installs for development.
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs/http/package.json libs/http/
COPY libs/kernel/package.json libs/kernel/
COPY libs/messaging/package.json libs/messaging/
COPY libs/ops/package.json libs/ops/
COPY libs/persistence/package.json libs/persistence/
COPY libs/testing/package.json libs/testing/

FROM manifests AS build
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY tsconfig.base.json tsconfig.build.json ./
COPY libs libs
COPY src src
RUN npm run build

FROM manifests AS production
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts
COPY --from=build /app/libs/http/dist libs/http/dist
COPY --from=build /app/libs/kernel/dist libs/kernel/dist
COPY --from=build /app/libs/messaging/dist libs/messaging/dist
COPY --from=build /app/libs/ops/dist libs/ops/dist
COPY --from=build /app/libs/persistence/dist libs/persistence/dist
COPY --from=build /app/dist dist
COPY topology.yaml ./

FROM node:${NODE_VERSION}-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=production /app ./
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]
