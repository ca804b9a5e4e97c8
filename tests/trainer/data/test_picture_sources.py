"""The pictures to label: folders, single pictures and lists, with the names that they get in a pack."""

from trainer.data.picture_sources import find_pictures


def test_sources_are_folders_pictures_and_lists(tmp_path):
    pictures = tmp_path / "pictures öß"
    for name in ("a.png", "b.png", "sub/a.png", "sub/broken.jpg", "sub/deep/c ü.png", "sub/notes.txt"):
        (pictures / name).parent.mkdir(parents=True, exist_ok=True)
        (pictures / name).touch()
    names = [name for name, _ in find_pictures(pictures, tmp_path / "out")]
    below = ["images/a.png", "images/b.png", "images/sub/a.png", "images/sub/broken.jpg", "images/sub/deep/c ü.png"]
    assert names == below
    assert len(find_pictures(pictures, pictures / "sub")) == 2, "what lies in the new pack is no source"
    (pictures / "sub" / "deep" / "labelling.json").touch()
    assert [name for name, _ in find_pictures(pictures, tmp_path / "out")] == below[:-1], "copies in labels are none"
    assert find_pictures(pictures / "a.png", tmp_path) == [("images/a.png", pictures / "a.png")]
    elsewhere = tmp_path / "elsewhere.png"
    list_ = pictures / "some.txt"
    list_.write_text(f"# two\nsub/a.png\n\n{elsewhere}\nsub/../a.png\n", encoding="utf-8")
    found = dict(find_pictures(list_, tmp_path))
    assert set(found) == {"images/sub/a.png", "images/a.png", f"images/elsewhere/{elsewhere.relative_to('/')}"}
