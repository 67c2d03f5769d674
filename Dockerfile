# A small image that runs `harness` as a user who is not root; docs/start.md shows its use.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY harness harness
# pip of the image installs into the environment, which so needs none of its own. What is compiled here need not be
# compiled at every start: the user may not write there.
RUN python -m venv --without-pip /opt/harness \
 && pip --python /opt/harness/bin/python install --quiet --no-cache-dir -c constraints.txt . \
 && find /opt/harness -type d -name tests -prune -exec rm -r {} +

FROM python:3.12-slim
RUN useradd --uid 1000 --create-home harness && install -d -o harness /project
COPY --from=build /opt/harness /opt/harness
ENV PATH="/opt/harness/bin:$PATH"
USER harness
WORKDIR /project
ENTRYPOINT ["harness"]
CMD ["--help"]
