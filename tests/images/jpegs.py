"""Writes jpegs.json: one image as JPEG files of many kinds, by libjpeg-turbo's cjpeg.

Run with cjpeg (Debian: libjpeg-turbo-progs): `python tests/images/jpegs.py`. mod.rs computes the same image.
"""

import base64
import json
import pathlib
import subprocess
import tempfile

WIDTH, HEIGHT = 45, 35

# The scans of several components, each in one file.
SCANS = {
    "one scan a component": "0;\n1;\n2;\n",
    "luma alone": "0;\n1,2;\n",
    "the last component alone": "0,1;\n2;\n",
    "scans in reverse order": "2;\n1;\n0;\n",
    "the second component first": "1;\n0,2;\n",
}
PROGRESSIVE = (
    "0: 0-0, 0, 0;\n1: 0-0, 0, 0;\n2: 0-0, 0, 0;\n"
    "0: 1-5, 0, 2;\n2: 1-63, 0, 1;\n1: 1-63, 0, 1;\n0: 6-63, 0, 2;\n"
    "0: 1-63, 2, 1;\n2: 1-63, 1, 0;\n1: 1-63, 1, 0;\n0: 1-63, 1, 0;\n"
)
SAMPLINGS = ["1x1", "2x1", "1x2", "2x2", "4x1", "1x4", "4x2", "3x1"]
ODD_SAMPLINGS = ["2x2,2x1,1x1", "1x1,2x2,2x2", "2x1,1x2,1x1", "3x2,1x1,1x2"]


def image(*, grey: bool = False) -> bytes:
    """The image as a PNM file: ramps, so that its chroma survives any sampling."""
    rows = [(60 + 3 * x + y, 220 - 2 * x - y, 40 + x + 4 * y) for y in range(HEIGHT) for x in range(WIDTH)]
    kind, levels = ("P5", [red for red, _, _ in rows]) if grey else ("P6", [level for row in rows for level in row])
    return f"{kind} {WIDTH} {HEIGHT} 255\n".encode() + bytes(levels)


def cjpeg(*arguments: str, grey: bool = False) -> bytes:
    """The file that cjpeg writes."""
    command = ["cjpeg", "-quality", "95", *arguments]
    return subprocess.run(command, input=image(grey=grey), capture_output=True, check=True).stdout


def files(folder: pathlib.Path) -> dict[str, bytes]:
    """The files by their names."""
    kinds = {}
    for sampling in SAMPLINGS + ODD_SAMPLINGS:
        kinds[f"{sampling}"] = cjpeg("-sample", sampling)
        kinds[f"{sampling}, progressive"] = cjpeg("-sample", sampling, "-progressive")
    script = folder / "scans"
    for name, scans in SCANS.items():
        script.write_text(scans)
        for sampling in ["1x1", "2x1", "1x2", "2x2", "1x1,2x2,2x2"]:
            kinds[f"{sampling}, {name}"] = cjpeg("-sample", sampling, "-scans", str(script))
    script.write_text(SCANS["one scan a component"])
    for restart in ["1", "3B"]:
        kinds[f"2x2, one scan a component, restart {restart}"] = cjpeg(
            "-sample", "2x2", "-scans", str(script), "-restart", restart
        )
        kinds[f"2x2, restart {restart}"] = cjpeg("-sample", "2x2", "-restart", restart)
        kinds[f"2x2, progressive, restart {restart}"] = cjpeg("-sample", "2x2", "-progressive", "-restart", restart)
    kinds["RGB, one scan a component"] = cjpeg("-rgb", "-scans", str(script))
    script.write_text(PROGRESSIVE)
    kinds["2x2, progressive, DC alone"] = cjpeg("-sample", "2x2", "-scans", str(script))
    kinds["RGB"] = cjpeg("-rgb")
    kinds["optimized tables"] = cjpeg("-optimize")
    kinds["grey"] = cjpeg(grey=True)
    kinds["grey, 2x2"] = cjpeg("-sample", "2x2", grey=True)
    kinds["grey, progressive"] = cjpeg("-progressive", grey=True)
    kinds["grey, restart 2B"] = cjpeg("-restart", "2B", grey=True)
    kinds["arithmetic"] = cjpeg("-arithmetic")
    kinds["arithmetic, progressive"] = cjpeg("-arithmetic", "-progressive")
    script.write_text(SCANS["one scan a component"])
    kinds["4x4,2x2,2x2, one scan a component"] = cjpeg("-sample", "4x4,2x2,2x2", "-scans", str(script))
    kinds["4x1,2x1,1x1"] = cjpeg("-sample", "4x1,2x1,1x1")
    return kinds


def main() -> None:
    """Writes the file."""
    with tempfile.TemporaryDirectory() as folder:
        kinds = files(pathlib.Path(folder))
    text = {name: base64.b64encode(file).decode() for name, file in kinds.items()}
    path = pathlib.Path(__file__).with_name("jpegs.json")
    path.write_text(json.dumps(text, indent=0) + "\n")
    print(f"{len(kinds)} files, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
