# The bot and the actions: one image, two commands. Built from the repository's root:
#   docker build -f deploy/app.Dockerfile -t waypoint-app .
FROM python:3.12-slim-bookworm AS lock
WORKDIR /src
COPY pyproject.toml requirements.txt deploy/production.py ./
RUN python production.py pyproject.toml requirements.txt > /production.txt

FROM python:3.12-slim-bookworm AS build
COPY scripts/uv.txt /tmp/uv.txt
RUN pip install --no-cache-dir --require-hashes -r /tmp/uv.txt
COPY --from=lock /production.txt /tmp/production.txt
ENV UV_COMPILE_BYTECODE=1
RUN uv venv /venv && uv pip install --no-cache --python /venv --require-hashes -r /tmp/production.txt
WORKDIR /app
COPY bot bot
COPY actions actions
COPY observe observe
COPY guide guide
COPY data data
COPY domain.yml ./
# The safety net's classifier, which works while the engine is away.
RUN /venv/bin/python -m bot.tripwire

FROM python:3.12-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin waypoint \
    && install -d -o waypoint -g waypoint /srv/waypoint/files /srv/waypoint/keys
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LOG_FORMAT=json \
    HOST=0.0.0.0 PORT=8080 ACTIONS_HOST=0.0.0.0 ACTIONS_PORT=5055 FILES_DIR=/srv/waypoint/files \
    KEYS_FILE=/srv/waypoint/keys/waypoint.keys MPLCONFIGDIR=/tmp
USER 10001:10001
EXPOSE 8080 5055
CMD ["python", "-m", "bot"]
