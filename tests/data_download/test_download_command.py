"""``data get``, ``verify`` and ``repair`` as a user meets them: a process, two streams, an exit status."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.dataverse_server import Dataverse, Faults
from benchmarks.download_faults import DOI, ONE, wanted_files
from data.catalogue import open_catalogue
from data.corpora import drivaernet

ROOT = Path(__file__).resolve().parents[2]
AGREED = ("--accept-licence", "--yes")


def drivaer_data(*arguments: object, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "main.py"), "data", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", **options)


@pytest.fixture
def dataverse(files):
    with Dataverse({DOI: files}).serving() as served:
        yield served


@pytest.fixture
def corpus(dataverse, tmp_path) -> Path:
    """A folder that was filled."""
    done = drivaer_data("get", DOI, "-o", tmp_path / "corpus", "--server", dataverse.url, *AGREED)
    assert done.returncode == 0, done.stderr
    return tmp_path / "corpus"


def _is_complete(folder: Path, dataverse: Dataverse) -> bool:
    return all((folder / path).read_bytes() == content for path, content in wanted_files(dataverse, None).items())


def test_a_plan_says_what_would_be_done_and_does_nothing(dataverse, tmp_path):
    folder = tmp_path / "corpus"
    done = drivaer_data("get", DOI, "-o", folder, "--server", dataverse.url, "--ids", ONE, "--plan", "--json")
    plan = json.loads(done.stdout)
    designs = [file for file in plan["files"] if file["design"]]
    assert [file["design"] for file in designs] == [ONE, ONE]
    assert plan["bytes_needed"] == sum(file["bytes_to_fetch"] for file in plan["files"])
    assert plan["bytes_free"] > 0 and plan["licences"][0]["name"] == "CC BY-NC 4.0"
    assert not folder.exists()


def test_without_a_terminal_and_without_flags_it_refuses_and_says_which(dataverse, tmp_path):
    done = drivaer_data("get", DOI, "-o", tmp_path / "corpus", "--server", dataverse.url, stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert "--accept-licence --yes" in done.stderr.splitlines()[-1]
    assert dataverse.file_requests == [] and not (tmp_path / "corpus").exists()


def test_yes_does_not_accept_a_licence(dataverse, tmp_path):
    done = drivaer_data("get", DOI, "-o", tmp_path, "--server", dataverse.url, "--yes", stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and "the licence is not accepted" in done.stderr


def test_a_licence_is_accepted_once_and_written_down(dataverse, corpus):
    with open_catalogue(corpus, read_only=True) as catalogue:
        (accepted,) = json.loads(catalogue.fact("licence_accepted"))
    assert accepted["licence"] == "CC BY-NC 4.0" and accepted["by"] == "flag"
    assert accepted["url"] == "https://creativecommons.org/licenses/by-nc/4.0/"
    (corpus / "DrivAerNet_ParametricData.csv").unlink()
    done = drivaer_data("get", DOI, "-o", corpus, "--server", dataverse.url, "--yes", stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr


def test_what_is_there_and_right_is_not_fetched_again(dataverse, corpus):
    sent = dataverse.sent
    done = drivaer_data("get", DOI, "-o", corpus, "--server", dataverse.url, *AGREED, "--json")
    assert done.returncode == 0
    assert {file["status"] for file in json.loads(done.stdout)["files"]} == {"there"}
    assert dataverse.sent == sent


def test_the_catalogue_knows_designs_coefficients_checksums_and_sources(dataverse, corpus):
    with open_catalogue(corpus, read_only=True) as catalogue:
        design = catalogue.design(ONE)
        files = [file for file in catalogue.files() if not file.member and file.kind in ("archive", "table")]
    assert design is not None and design.cd == pytest.approx(0.275, abs=0.05)
    assert all(file.checksum_type == "MD5" and file.checked_ns and file.state == "here" for file in files)
    assert all(file.url.startswith(f"{dataverse.url}/api/access/datafile/") for file in files)


def test_drivaernet_comes_from_its_datasets_each_into_a_folder(files, tmp_path):
    meshes = [f for f in files if f.folder == "3DMeshesSTL"]
    pressures = [f for f in files if f.folder == "SurfacePressureVTK"]
    datasets = {drivaernet.DATASETS["mesh"]: meshes, drivaernet.DATASETS["pressure"]: pressures}
    with Dataverse(datasets).serving() as served:
        done = drivaer_data("get", "drivaernet", "-o", tmp_path, "--server", served.url, "--count", 2, *AGREED)
    assert done.returncode == 0, done.stderr
    got = sorted(path.name for path in tmp_path.rglob("*.*") if path.suffix in (".stl", ".vtk"))
    assert len(got) == 4 and {Path(name).stem for name in got} == {"F_D_WM_WW_0001", "F_D_WM_WW_0002"}
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"mesh", "pressure"}


def test_killed_ten_times_it_finishes_with_the_right_bytes(files, tmp_path):
    folder = tmp_path / "corpus"
    dataverse = Dataverse({DOI: files}, Faults(redirects=True, link_uses=3, block_s=0.01))
    wanted = wanted_files(dataverse, None)
    total = sum(map(len, wanted.values()))
    command = [sys.executable, str(ROOT / "main.py"), "data", "get", DOI, "-o", str(folder), *AGREED]
    with dataverse.serving():
        for _ in range(10):
            there = _bytes_there(folder)
            process = subprocess.Popen([*command, "--server", dataverse.url], stderr=subprocess.DEVNULL)
            while _bytes_there(folder) < there + total // 14:
                assert process.poll() is None, "it had finished before it could be killed"
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
            for path, content in wanted.items():
                assert not (folder / path).exists() or (folder / path).read_bytes() == content
        dataverse.faults.block_s, sent = 0.0, dataverse.sent
        done = drivaer_data("get", DOI, "-o", folder, "--server", dataverse.url, *AGREED)
    assert done.returncode == 0, done.stderr
    assert _is_complete(folder, dataverse)
    assert dataverse.sent - sent <= total - 10 * (total // 14)
    assert list(folder.rglob("*.part*")) == []


def _bytes_there(folder: Path) -> int:
    """Of the files and their parts; one that is renamed meanwhile is counted the next time."""
    n_bytes = 0
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith((".zip", ".csv", ".part")):
                with suppress(FileNotFoundError):
                    n_bytes += Path(where, name).stat().st_size
    return n_bytes


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(files, tmp_path):
    dataverse = Dataverse({DOI: files}, Faults(block_s=0.01))
    command = [sys.executable, str(ROOT / "main.py"), "data", "get", DOI, "-o", str(tmp_path / "c"), *AGREED]
    with dataverse.serving():
        process = subprocess.Popen([*command, "--server", dataverse.url], stderr=subprocess.PIPE, text=True)
        while dataverse.sent < 1_000_000:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert "the same command goes on" in process.stderr.read()
        sent = dataverse.sent
        dataverse.faults.block_s = 0.0
        done = drivaer_data("get", DOI, "-o", tmp_path / "c", "--server", dataverse.url, *AGREED)
    assert done.returncode == 0 and dataverse.sent - sent < sum(len(f.content) for f in files) - 500_000


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are a Unix thing")
def test_a_full_disk_is_one_line_and_nothing_half_has_a_final_name(dataverse, tmp_path):
    import resource

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    folder = tmp_path / "corpus"
    done = drivaer_data("get", DOI, "-o", folder, "--server", dataverse.url, *AGREED, preexec_fn=small_disk)
    assert done.returncode == 1
    assert "the disk is full" in done.stderr.splitlines()[-1]
    assert not [path for path in folder.rglob("*.zip") if path.stat().st_size == 1_000_000]
    again = drivaer_data("get", DOI, "-o", folder, "--server", dataverse.url, *AGREED)
    assert again.returncode == 0 and _is_complete(folder, dataverse)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("drivaernt", "-o", "x"), "neither a corpus nor a DOI"),
        (("drivaernet", "-o", "x", "--ids", "F_D_1"), "F_D_WM_WW_0001"),
        (("drivaernet",), "Missing option"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(arguments, message, tmp_path):
    done = drivaer_data("get", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and message in done.stderr


def test_a_wrong_byte_that_stays_fails_with_the_files_name_and_without_the_file(files, tmp_path):
    with Dataverse({DOI: files}, Faults(wrong_byte=-1)).serving() as served:
        done = drivaer_data("get", DOI, "-o", tmp_path, "--server", served.url, *AGREED, "--json")
    assert done.returncode == 1
    record = json.loads(done.stdout)
    assert record["status"] == "error"
    assert all("checksum is still wrong" in file["error"] for file in record["files"])
    assert all(file["path"].rpartition("/")[2] in done.stderr for file in record["files"])
    assert not any((tmp_path / path).exists() for path in wanted_files(served, None))


def test_a_token_from_the_environment_is_used_and_never_shown(files, tmp_path):
    secret = "b3c1e9aa-not-to-be-seen"
    environment = {**os.environ, "DATAVERSE_API_TOKEN": secret, "XDG_STATE_HOME": str(tmp_path / "state")}
    with Dataverse({DOI: files}, Faults(token=secret)).serving() as served:
        arguments = ("get", DOI, "-o", tmp_path / "c", "--server", served.url, *AGREED, "--debug")
        done = drivaer_data(*arguments, env=environment)
    assert done.returncode == 0, done.stderr
    assert secret not in done.stderr + done.stdout
    assert not any(secret.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_verify_names_what_is_bad_missing_cut_short_or_there_twice_and_repair_fetches_only_that(dataverse, corpus):
    assert drivaer_data("verify", corpus).returncode == 0
    zips = sorted((corpus / "3DMeshesSTL").glob("*.zip"))
    content = bytearray(zips[0].read_bytes())
    content[100_000] ^= 1
    zips[0].write_bytes(content)
    os.truncate(zips[1], 5000)
    (corpus / "DrivAerNet_ParametricData.csv").unlink()
    shutil.copy(corpus / "SurfacePressureVTK" / "E_S_WW_WM.zip", corpus / "E_S_WW_WM (1).zip")

    found = drivaer_data("verify", corpus, "--json")
    assert found.returncode == 1
    faults = {Path(f["path"]).name: f["fault"] for f in json.loads(found.stdout)["findings"]}
    assert faults == {
        zips[0].name: "bad",
        zips[1].name: "truncated",
        "DrivAerNet_ParametricData.csv": "missing",
        "E_S_WW_WM (1).zip": "duplicated",
    }

    sent = dataverse.sent
    repaired = drivaer_data("repair", corpus)
    assert repaired.returncode == 0, repaired.stderr
    assert _is_complete(corpus, dataverse)
    needed = sum(path.stat().st_size for path in (*zips, corpus / "DrivAerNet_ParametricData.csv"))
    assert dataverse.sent - sent == needed


def test_a_design_out_of_a_zip_is_verified_and_repaired_out_of_the_zip(dataverse, tmp_path):
    assert drivaer_data("get", DOI, "-o", tmp_path, "--server", dataverse.url, "--ids", ONE, *AGREED).returncode == 0
    mesh = next(tmp_path.rglob("*.stl"))
    right = mesh.read_bytes()
    mesh.write_bytes(right[:50_000] + b"?" + right[50_001:])
    assert drivaer_data("verify", tmp_path).returncode == 1
    assert drivaer_data("repair", tmp_path).returncode == 0
    assert mesh.read_bytes() == right
    assert drivaer_data("verify", tmp_path).returncode == 0


def test_repair_of_a_file_that_the_server_changed_says_to_get_the_new_version(files, tmp_path):
    with Dataverse({DOI: files}).serving() as served:
        drivaer_data("get", DOI, "-o", tmp_path, "--server", served.url, *AGREED)
        table = tmp_path / "DrivAerNet_ParametricData.csv"
        table.unlink()
        from dataclasses import replace

        served.datasets[DOI] = [
            replace(f, content=f.content + b"new") if f.name == table.name else f for f in served.datasets[DOI]
        ]
        done = drivaer_data("repair", tmp_path)
    assert done.returncode == 1
    assert table.name in done.stderr and "checksum" in done.stderr
    assert not table.exists()


@pytest.mark.parametrize("command", ["verify", "repair"])
def test_a_folder_without_a_catalogue_is_one_line(command, tmp_path):
    done = drivaer_data(command, tmp_path / "nothing")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "data get" in done.stderr
    assert not (tmp_path / "nothing").exists()


def test_only_one_download_works_in_a_folder(files, tmp_path):
    dataverse = Dataverse({DOI: files}, Faults(block_s=0.5))
    command = [sys.executable, str(ROOT / "main.py"), "data", "get", DOI, "-o", str(tmp_path / "c"), *AGREED]
    with dataverse.serving():
        first = subprocess.Popen([*command, "--server", dataverse.url], stderr=subprocess.DEVNULL)
        while dataverse.sent == 0:
            time.sleep(0.005)
        second = drivaer_data("get", DOI, "-o", tmp_path / "c", "--server", dataverse.url, *AGREED)
        dataverse.faults.block_s = 0.0
        assert first.wait(timeout=60) == 0
    assert second.returncode == 1 and "another download is running" in second.stderr
    assert _is_complete(tmp_path / "c", dataverse)
