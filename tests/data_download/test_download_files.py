"""Names, checksums, choices and other ways that files come."""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import shutil
import threading
import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from benchmarks.dataverse_server import Dataverse, Faults, Stored, http_date
from benchmarks.download_faults import DESIGNS, DOI, ONE, QUICK, fetch, wanted_files
from data.catalogue import open_catalogue
from data.download.choice import choice_of
from data.download.control import Cancelled, Control
from data.download.dataverse import doi_of, files_of, server_of
from data.download.names import distinct, safe_path
from data.download.remote_bytes import RemoteBytes
from data.download.remote_zip import RemoteZip
from data.download.retries import asked_wait
from data.download.transport import Transport
from data.download.verify import verify
from data.errors import DrivAerError


def _text(number: int, name: str, content: bytes = b"words", **more) -> Stored:
    return Stored(number, name, content, **more)


def _fetched(stored: list[Stored], folder: Path, faults: Faults | None = None, **choice) -> list[str]:
    """What is below the folder after everything was fetched."""
    with Dataverse({DOI: stored}, faults).serving() as served:
        result = fetch(served, folder, **choice)
    assert result.is_complete, [outcome.error for outcome in result.failed]
    found = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in found if not path.startswith((".drivaer", "catalogue.sqlite")))


@pytest.mark.parametrize(
    ("labels", "safe"),
    [
        (("a", "../../x.stl"), "a/x.stl"),
        (("", "/etc/passwd"), "etc/passwd"),
        (("..\\..", "C:\\Windows\\x.stl"), "C_/Windows/x.stl"),
        (("", "con.stl"), "_con.stl"),
        (("", "LPT1"), "_LPT1"),
        (("", "a<b>:c|d?.stl"), "a_b__c_d_.stl"),
        (("", "ends with dots..."), "ends with dots"),
        (("", "line\nbreak\x00.stl"), "line_break_.stl"),
        (("", "\u202etxt.exe"), "_txt.exe"),
        (("", "größe_模型.stl"), "größe_模型.stl"),
        (("", "catalogue.sqlite"), "catalogue.sqlite_"),
        (("", "x.stl.part"), "x.stl.part_"),
        (("..", "."), "_"),
    ],
)
def test_a_label_becomes_a_path_inside_of_the_folder(labels, safe):
    assert str(safe_path(*labels)) == safe


def test_a_label_that_is_too_long_for_a_file_system_keeps_its_suffix_and_stays_unlike_others():
    one, other = safe_path("", "模" * 200 + "1.stl"), safe_path("", "模" * 200 + "2.stl")
    assert one != other and one.suffix == ".stl" and len(one.name.encode()) <= 200


def test_names_that_differ_by_case_alone_become_different_files():
    taken: set[str] = set()
    paths = [distinct(PurePosixPath(name), taken, number) for number, name in enumerate(("A.stl", "a.stl", "A.stl"))]
    assert len({str(path).lower() for path in paths}) == 3


def test_hostile_and_equal_labels_arrive_each_as_a_file_of_its_own_inside_of_the_folder(tmp_path):
    stored = [
        _text(1, "../../outside.txt", b"1"),
        _text(2, "same.txt", b"2", folder="a"),
        _text(3, "same.txt", b"3", folder="b"),
        _text(4, "SAME.txt", b"4", folder="a"),
        _text(5, "nul.txt", b"5", folder="../.."),
    ]
    names = _fetched(stored, tmp_path / "deep" / "corpus")
    contents = {(tmp_path / "deep" / "corpus" / name).read_bytes() for name in names}
    assert contents == {b"1", b"2", b"3", b"4", b"5"}
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"corpus"}


@pytest.mark.parametrize("kind", ["MD5", "SHA-1", "SHA-256", "SHA-512"])
def test_checksums_are_checked_in_each_of_dataverses_kinds(kind, tmp_path):
    assert _fetched([_text(1, "a.txt", b"content", checksum=kind)], tmp_path) == ["a.txt"]
    with open_catalogue(tmp_path, read_only=True) as catalogue:
        assert catalogue.files(path="a.txt")[0].checksum_type == kind
    with Dataverse({DOI: [_text(1, "b.txt", b"content", checksum=kind)]}, Faults(wrong_byte=-1)).serving() as served:
        assert "checksum is still wrong" in fetch(served, tmp_path).failed[0].error


def test_an_older_server_that_gives_md5_alone_is_understood(tmp_path):
    listed = {"checksum": None, "md5": hashlib.md5(b"words").hexdigest()}
    with Dataverse({DOI: [_text(1, "a.txt", listed=listed)]}, Faults(wrong_byte=1)).serving() as served:
        assert fetch(served, tmp_path).is_complete
    assert (tmp_path / "a.txt").read_bytes() == b"words"


def test_of_an_ingested_table_comes_the_upload_under_its_own_name(tmp_path):
    upload = ("coefficients.csv", "text/csv", b"Design,Cd\na,0.3\n")
    older = {"originalFileName": None, "originalFileSize": None}
    tables = [
        _text(1, "coefficients.tab", b"Design\tCd\na\t0.3\n", original=upload),
        _text(2, "areas.tab", b"x\ty\n", original=("?", "text/csv", b"x,y\n"), listed=older),
    ]
    assert _fetched(tables, tmp_path) == ["areas.csv", "coefficients.csv"]
    assert (tmp_path / "coefficients.csv").read_bytes() == upload[2]
    assert (tmp_path / "areas.csv").read_bytes() == b"x,y\n"


def test_a_file_that_globus_brought_is_taken_and_put_in_its_place(files, tmp_path):
    archive = next(f for f in files if f.folder == "3DMeshesSTL")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / archive.name).write_bytes(archive.content)
    with Dataverse({DOI: [archive]}, Faults(globus=(archive.name,))).serving() as served:
        result = fetch(served, tmp_path)
    assert result.is_complete and result.outcomes[0].status == "taken" and served.sent == 0
    assert (tmp_path / "3DMeshesSTL" / archive.name).read_bytes() == archive.content


def test_the_same_file_in_two_folders_comes_into_both(tmp_path):
    stored = [_text(1, "read me.txt", b"same", folder="a")]
    assert _fetched(stored, tmp_path) == ["a/read me.txt"]
    both = [*stored, _text(2, "read me.txt", b"same", folder="b")]
    assert _fetched(both, tmp_path) == ["a/read me.txt", "b/read me.txt"]


def test_a_half_file_that_globus_left_is_not_taken(files, tmp_path):
    archive = next(f for f in files if f.folder == "3DMeshesSTL")
    (tmp_path / archive.name).write_bytes(archive.content[:1000])
    with Dataverse({DOI: [archive]}, Faults(globus=(archive.name,))).serving() as served:
        result = fetch(served, tmp_path)
    assert "start the same command again: it takes what has arrived" in result.failed[0].error
    assert not (tmp_path / "3DMeshesSTL").exists() or not any((tmp_path / "3DMeshesSTL").glob("*.zip"))


def test_a_users_own_file_of_the_same_name_keeps_its_content(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert _fetched([_text(1, "notes.txt", b"theirs")], tmp_path) == ["notes.txt", "notes.txt.kept1"]
    assert (tmp_path / "notes.txt.kept1").read_text() == "mine"


def test_a_part_of_another_file_is_not_gone_on_with(tmp_path):
    with Dataverse({DOI: [_text(1, "a.bin", b"a" * 90_000)]}, Faults(cut_after=30_000, cuts=1)).serving() as served:
        served.faults.busy = []
        assert not fetch(served, tmp_path, patience=replace(QUICK, tries=1)).is_complete
        assert (tmp_path / "a.bin.part").stat().st_size == 30_000
        served.datasets[DOI] = [_text(2, "a.bin", b"b" * 80_000)]
        assert fetch(served, tmp_path).is_complete
    assert (tmp_path / "a.bin").read_bytes() == b"b" * 80_000


def test_a_part_is_gone_on_with_from_its_last_byte(tmp_path):
    content = os.urandom(90_000)
    with Dataverse({DOI: [_text(1, "a.bin", content)]}, Faults(cut_after=30_000, cuts=1)).serving() as served:
        fetch(served, tmp_path, patience=replace(QUICK, tries=1))
        assert fetch(served, tmp_path).is_complete
        assert served.file_requests[-1]["Range"] == "bytes=30000-"
    assert (tmp_path / "a.bin").read_bytes() == content


@pytest.mark.parametrize(
    ("choice", "designs"),
    [
        ({"classes": "E"}, ["E_S_WW_WM_001"]),
        ({"ids": f"{ONE}, e_s_wm_ww_1"}, ["E_S_WW_WM_001", ONE]),
        ({"count": 2, "classes": "F_D"}, list(DESIGNS[:2])),
        ({"what": "mesh", "count": 4}, sorted(DESIGNS)),
    ],
)
def test_designs_are_chosen_by_class_id_and_count(files, tmp_path, choice, designs):
    names = _fetched(files, tmp_path, **choice)
    stems = {Path(n).stem for n in names if n.endswith((".stl", ".vtk"))}
    stems |= {m for n in names if n.endswith(".zip") for m in _stems_in(tmp_path / n)}
    assert sorted(stems) == designs
    if choice.get("what") == "mesh":
        assert not [n for n in names if n.endswith((".vtk", ".csv"))]


def _stems_in(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as opened:
        return {Path(name).stem for name in opened.namelist()}


def test_a_split_is_read_from_the_dataset_or_the_folder(files, tmp_path):
    listed = [*files, _text(3000, "test_design_ids.txt", f"{ONE}\nF_D_WM_WW_0003\n".encode())]
    names = _fetched(listed, tmp_path / "one", split="test", what="mesh")
    assert {Path(n).stem for n in names} == {ONE, "F_D_WM_WW_0003"}
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "val_design_ids.txt").write_text("F_D_WM_WW_0001")
    assert "3DMeshesSTL/F_D_WM_WW_1/F_D_WM_WW_0001.stl" in _fetched(files, tmp_path / "two", split="val", what="mesh")


def test_a_split_that_nobody_knows_says_where_to_get_it(files, tmp_path):
    with Dataverse({DOI: files}).serving() as served, pytest.raises(DrivAerError, match="test_design_ids.txt"):
        fetch(served, tmp_path, split="test")


def test_designs_that_are_nowhere_are_named_and_the_others_come(files, tmp_path):
    with Dataverse({DOI: files}).serving() as served:
        result = fetch(served, tmp_path, ids=f"{ONE},F_D_WM_WW_3999")
    assert result.not_found == ("F_D_WM_WW_3999",) and not result.is_complete
    assert (tmp_path / "3DMeshesSTL" / "F_D_WM_WW_1" / f"{ONE}.stl").is_file()


@pytest.mark.parametrize("spelling", ["{}", "doi:{}", "DOI:{}", " https://doi.org/{} ", "http://dx.doi.org/{}"])
def test_a_doi_may_be_written_as_people_write_it(spelling):
    assert doi_of(spelling.format("10.7910/DVN/OYU2FG")) == "doi:10.7910/DVN/OYU2FG"


@pytest.mark.parametrize(
    ("typed", "server"),
    [
        ("dataverse.harvard.edu", "https://dataverse.harvard.edu"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("https://demo.dataverse.org/api/", "https://demo.dataverse.org"),
    ],
)
def test_a_server_may_be_written_as_people_write_it(typed, server):
    assert server_of(typed) == server


@pytest.mark.parametrize("typed", ["http://", "ftp://x.org", "http://x.org:port", "https://user:secret@x.org"])
def test_what_is_no_server_is_said(typed):
    with pytest.raises(DrivAerError, match="no address of a server"):
        server_of(typed)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"what": "meshes"}, "there is no 'meshes'"),
        ({"classes": "Q_X"}, "there is no class 'Q_X'"),
        ({"split": "testing"}, "there is no split 'testing'"),
        ({"count": 0}, "--count"),
        ({"ids": "no_such_list.txt"}, "neither an id nor a file"),
    ],
)
def test_a_choice_of_nothing_that_is_there_is_said(choice, said):
    asked = {"what": None, "classes": None, "ids": None, "count": None, "split": None} | choice
    with pytest.raises(DrivAerError, match=said):
        choice_of(**asked)


def test_ids_come_from_a_file_too(tmp_path):
    (tmp_path / "list.txt").write_text("F_D_WM_WW_0001\nE_S_WWC_WM_005\n")
    assert choice_of(None, None, str(tmp_path / "list.txt"), None, None).ids == {"F_D_WM_WW_0001", "E_S_WWC_WM_005"}


def test_loose_files_of_designs_are_chosen_by_their_ids(tmp_path):
    stored = [_text(i, f"F_D_WM_WW_{i:04d}.vtk", b"%d" % i, folder="Pressure") for i in range(1, 30)]
    assert _fetched(stored, tmp_path, ids="F_D_WM_WW_0007,F_D_WM_WW_0021") == [
        "Pressure/F_D_WM_WW_0007.vtk",
        "Pressure/F_D_WM_WW_0021.vtk",
    ]


def _zip_of(names: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as packed:
        for name, content in names.items():
            packed.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_designs_come_out_of_compressed_zips(compression, tmp_path):
    content = b"solid car\n" * 9000
    packed = _zip_of({"F_D_WM_WW_1/F_D_WM_WW_0001.stl": content, "F_D_WM_WW_1/F_D_WM_WW_0002.stl": b"x"}, compression)
    _fetched([_text(1, "F_D_WM_WW_1.zip", packed)], tmp_path, ids="F_D_WM_WW_0001")
    assert (tmp_path / "F_D_WM_WW_1" / "F_D_WM_WW_0001.stl").read_bytes() == content


def test_a_member_with_a_hostile_name_stays_inside(tmp_path):
    packed = _zip_of({"../../../F_D_WM_WW_0001.stl": b"car"})
    names = _fetched([_text(1, "F_D_WM_WW_1.zip", packed)], tmp_path / "corpus", ids="F_D_WM_WW_0001")
    assert names == ["F_D_WM_WW_1/F_D_WM_WW_0001.stl"]


def test_a_zip_of_very_many_files_has_a_directory_longer_than_its_tail(tmp_path):
    many = {f"F_D_WM_WW_1/F_D_WM_WW_{i:04d}.stl": b"%d" % i for i in range(1, 4000)}
    names = _fetched([_text(1, "F_D_WM_WW_1.zip", _zip_of(many))], tmp_path, ids="F_D_WM_WW_0003,F_D_WM_WW_3999")
    assert [(tmp_path / name).read_bytes() for name in names] == [b"3", b"3999"]


def test_a_design_beyond_four_gigabytes_in_its_zip_is_found(tmp_path):
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("F_D_WM_WW_0001.stl", b"first")
        packed.start_dir = 5 << 30  # a hole in the file, where gigabytes of other cars would be
        packed.writestr("F_D_WM_WW_0002.stl", b"second" * 1000)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        stored = _Large(1, "F_D_WM_WW_1.zip", content)
        with Dataverse({DOI: [stored]}, Faults(etags=False)).serving() as served:
            result = fetch(served, tmp_path / "corpus", ids="F_D_WM_WW_0002")
            sent = served.sent
    assert result.is_complete and sent < 200_000
    assert (tmp_path / "corpus" / "F_D_WM_WW_1" / "F_D_WM_WW_0002.stl").read_bytes() == b"second" * 1000


class _Large(Stored):
    """A file too large to be hashed in a test."""

    def entry(self):
        return replace(Stored(self.id, self.name, b""), listed={"filesize": len(self.content)}).entry()


@pytest.mark.parametrize("damage", ["cut", "no zip", "directory"])
def test_a_zip_that_is_none_is_one_line(damage, tmp_path):
    right = _zip_of({"F_D_WM_WW_0001.stl": os.urandom(300_000)})
    content = {
        "cut": right[:200_000],
        "no zip": b"not a zip" * 999,
        "directory": right.replace(b"PK\x01\x02", b"PK\x01\x03"),
    }
    stored = _text(1, "F_D_WM_WW_1.zip", content[damage])
    said = pytest.raises(DrivAerError, match="F_D_WM_WW_1.zip.*no zip that can be read")
    with Dataverse({DOI: [stored]}).serving() as served, said:
        fetch(served, tmp_path, ids="F_D_WM_WW_0001")


def test_a_zip_that_is_none_does_not_keep_the_others_from_coming(files, tmp_path):
    stored = [*files, _text(3000, "F_D_WM_WW_2.zip", b"not a zip" * 999)]
    with Dataverse({DOI: stored}).serving() as served:
        result = fetch(served, tmp_path, ids=ONE)
    assert not result.is_complete and "F_D_WM_WW_2.zip" in result.errors[0]
    assert list(tmp_path.rglob(f"{ONE}.stl"))


def test_a_zip_that_comes_whole_is_unpacked_as_if_it_had_come_in_parts(files, tmp_path):
    with Dataverse({DOI: files}, Faults(ignores_range=True)).serving() as served:
        assert fetch(served, tmp_path, ids=ONE).is_complete
        sent = served.sent
        assert fetch(served, tmp_path, ids=ONE).is_complete
        assert served.sent - sent < 2_000_000, "the zips that are there are not fetched again"
        wanted = wanted_files(served, ONE)
    assert all((tmp_path / path).read_bytes() == content for path, content in wanted.items())


def test_few_connections_are_open_at_once(files, tmp_path):
    with Dataverse(
        {DOI: [*files, *(_text(500 + i, f"{i}.txt") for i in range(30))]}, Faults(block_s=0.002)
    ).serving() as s:
        assert fetch(s, tmp_path).is_complete
        assert 1 <= s.most_at_once <= 4


def test_a_proxy_from_the_environment_is_used(files, tmp_path, monkeypatch):
    with Dataverse({DOI: files[-2:]}).serving() as served:
        monkeypatch.setenv("http_proxy", served.url)
        assert fetch(served, tmp_path, server="http://dataverse.invalid").is_complete


def test_what_a_retry_after_header_asks_for():
    assert asked_wait("7") == 7.0
    assert 50 < asked_wait(http_date(60)) <= 60
    assert asked_wait(http_date(-60)) == 0.0
    assert asked_wait("soon") is None and asked_wait(None) is None


def test_paused_it_waits_and_cancelled_it_stops_and_both_go_on(files, tmp_path):
    dataverse = Dataverse({DOI: files}, Faults(block_s=0.005))
    control = Control()
    ended = threading.Event()

    def work() -> None:
        with pytest.raises(Cancelled):
            fetch(dataverse, tmp_path, control=control)
        ended.set()

    with dataverse.serving():
        thread = threading.Thread(target=work)
        thread.start()
        while dataverse.sent < 500_000:
            assert thread.is_alive()
        control.pause()
        assert not ended.wait(0.3), "paused, it has not ended"
        control.cancel()
        assert ended.wait(20)
        thread.join()
        dataverse.faults.block_s = 0.0
        assert fetch(dataverse, tmp_path).is_complete


def test_progress_ends_where_it_should(files, tmp_path):
    seen = []
    with Dataverse({DOI: files}).serving() as served:
        result = fetch(served, tmp_path, on_progress=seen.append)
    assert seen[-1].n_done == seen[-1].n_files == len(files)
    assert seen[-1].bytes_done == seen[-1].bytes_total == sum(outcome.item.cost for outcome in result.outcomes)


def test_a_check_that_was_stopped_goes_on_where_it_was(files, tmp_path):
    _fetched(files, tmp_path)
    control = Control()

    def stop_after_three(progress) -> None:
        if progress.n_done == 3:
            control.cancel()

    with open_catalogue(tmp_path) as catalogue:
        with pytest.raises(Cancelled):
            verify(catalogue, control=control, workers=1, on_progress=stop_after_three)
        rest = verify(catalogue)
        again = verify(catalogue)
    assert rest.is_right and again.is_right
    assert rest.n_bytes < again.n_bytes == sum(path.stat().st_size for path in tmp_path.rglob("*.*") if _is_data(path))


def _is_data(path: Path) -> bool:
    return path.is_file() and path.suffix in (".zip", ".csv")


def test_a_zip_of_no_known_checksum_is_checked_by_its_own(files, tmp_path):
    archive = next(f for f in files if f.folder == "3DMeshesSTL" and f.name.startswith("F_D"))
    (tmp_path / "a").mkdir()
    broken = bytearray(archive.content)
    broken[200_000] ^= 1
    (tmp_path / "a" / archive.name).write_bytes(broken)
    from data.catalogue.scan import scan

    scan(tmp_path / "a")
    with open_catalogue(tmp_path / "a") as catalogue:
        found = verify(catalogue)
    assert [(f.fault, Path(f.path).name) for f in found.findings] == [("bad", archive.name)]


def test_a_designs_mesh_that_is_there_twice_is_named(sample_file, tmp_path):
    for where in ("a", "b"):
        (tmp_path / where).mkdir()
        shutil.copy(sample_file, tmp_path / where / "F_D_WM_WW_0001.stl")
    from data.catalogue.scan import scan

    scan(tmp_path)
    with open_catalogue(tmp_path) as catalogue:
        found = verify(catalogue)
    assert [(f.path, f.fault) for f in found.findings] == [("b/F_D_WM_WW_0001.stl", "duplicated")]


def test_the_directory_of_a_remote_zip_costs_its_last_bytes(files):
    with Dataverse({DOI: files}).serving() as served:
        transport = Transport(served.url, patience=QUICK)
        archive = next(f for f in files_of(transport, DOI) if f.name == "F_D_WM_WW_1.zip" and f.folder == "3DMeshesSTL")
        before = served.sent
        members = RemoteZip(RemoteBytes(transport, archive)).members
        assert [Path(m.name).stem for m in members] == list(DESIGNS[:3])
        assert served.sent - before < 100_000
