# The stylesheet, made of Tabler by what templates and code name; nothing of Node stays in the image that runs
FROM node:22.12.0-bookworm-slim AS npm
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts
COPY . .
RUN mkdir -p node_modules/.built && npm run css

FROM python:3.11.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATIC_HASHED=on STATIC_ROOT=/app/staticfiles
WORKDIR /app
COPY requirements-production.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-production.lock
COPY . .
COPY --from=npm /app/node_modules/.built node_modules/.built
RUN python -m sla_portal.messages --compile \
    && python manage.py collectstatic --noinput \
    && useradd --system --uid 10001 portal \
    && install -d -o portal /run/sla
USER portal
EXPOSE 8000
CMD ["gunicorn", "sla_portal.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", "--no-control-socket", "--forwarded-allow-ips", ""]
