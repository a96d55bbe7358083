"""One Spark session for all tests of this folder; without Java they are skipped."""

import pytest

pytest.importorskip(
    "pyspark", reason="pyspark is missing: pip install 'emkd-tf[spark]'"
)

from emkd_tf.spark.session import has_java, session

# Compiling a query takes longer than these small tables.
SETTINGS = ("spark.sql.shuffle.partitions=3", "spark.sql.codegen.wholeStage=false")


@pytest.fixture(scope="session")
def spark():
    if not has_java():
        pytest.skip("Java is missing: apt-get install default-jre-headless")
    with session("local[2]", SETTINGS) as started:
        yield started
