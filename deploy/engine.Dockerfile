# The dialogue engine, with its model trained while the image is built. Built from the repository's root:
#   docker build -f deploy/engine.Dockerfile -t waypoint-engine .
FROM python:3.12-slim-bookworm AS lock
WORKDIR /src
COPY engine/pyproject.toml engine/requirements.txt deploy/production.py ./
RUN python production.py pyproject.toml requirements.txt > /production.txt

FROM python:3.10-slim-bookworm AS build
COPY scripts/uv.txt /tmp/uv.txt
RUN pip install --no-cache-dir --require-hashes -r /tmp/uv.txt
COPY --from=lock /production.txt /tmp/production.txt
ENV UV_COMPILE_BYTECODE=1
RUN uv venv /venv && uv pip install --no-cache --python /venv --require-hashes -r /tmp/production.txt
WORKDIR /app
COPY engine engine
COPY observe observe
COPY data data
COPY config.yml domain.yml ./
RUN /venv/bin/python -m engine.train && rm -rf .rasa

FROM python:3.10-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin waypoint
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LOG_FORMAT=json \
    ENGINE_HOST=0.0.0.0 ENGINE_PORT=5005 MPLCONFIGDIR=/tmp
USER 10001:10001
EXPOSE 5005
CMD ["python", "-m", "engine"]
