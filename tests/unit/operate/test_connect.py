from codometer.operate.connect import connection_lines
from codometer.settings import Listen, Settings


def test_the_lines_name_this_server() -> None:
    lines = connection_lines(Settings(listen=Listen(host="::1", otlp_port=5000))).splitlines()
    exports = [line.strip() for line in lines if "export" in line]
    assert exports == [
        "export CLAUDE_CODE_ENABLE_TELEMETRY=1",
        "export OTEL_METRICS_EXPORTER=otlp",
        "export OTEL_LOGS_EXPORTER=otlp",
        "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        "export OTEL_EXPORTER_OTLP_ENDPOINT=http://[::1]:5000",
    ]


def test_a_query_names_a_server_that_is_not_where_it_is_looked_for() -> None:
    query = "codometer query tokens cost --by model"
    assert f"{query}\n" in connection_lines(Settings())
    elsewhere = Settings(listen=Listen(port=5000))
    assert f"{query} --url http://127.0.0.1:5000\n" in connection_lines(elsewhere)
