# Makes pillow-golden.json: what Pillow's resize gives for the pictures of pattern() in pictures.ts.
# pip install pillow==12.0.0 && python3 tests/image/pillow-golden.py > tests/image/pillow-golden.json
# Out: the version, and for each case the sizes, the box and the SHA-256 of the RGB bytes; of small ones the bytes too.
# Pillow 13 scales down before across where that is less work: a quarter of the samples then differ by one.
import hashlib
import json
import PIL
from PIL import Image

CASES = [
    (7, 5, 7, 5, None), (4, 1, 2, 1, None), (2, 1, 4, 1, None), (1, 1, 9, 4, None), (13, 17, 3, 2, None), (3, 2, 13, 17, None),
    (640, 480, 224, 224, None), (1280, 720, 224, 224, None), (1280, 720, 320, 180, None), (512, 341, 128, 128, None), (97, 61, 96, 60, None),
    (97, 61, 98, 62, None), (2000, 3, 1, 1, None), (3, 2000, 2, 2, None), (1920, 1080, 128, 128, (420, 0, 1500, 1080)),
    (333, 217, 100, 50, (10.5, 3.25, 301.75, 200.125)), (333, 217, 299, 299, (100, 50, 110, 61.5)), (50, 50, 20, 20, (0.125, 0.125, 0.875, 49.875)),
]


def pattern(width, height):
    return bytes((i * 37 + ((i * i) % 11) * 5) & 255 for i in range(width * height * 3))


def case(width, height, to_width, to_height, box):
    picture = Image.frombytes('RGB', (width, height), pattern(width, height))
    data = picture.resize((to_width, to_height), Image.Resampling.BILINEAR, box=box).tobytes()
    x, y, right, bottom = box or (0, 0, width, height)
    found = {'from': [width, height], 'to': [to_width, to_height], 'region': [x, y, right - x, bottom - y], 'sha256': hashlib.sha256(data).hexdigest()}
    return {**found, 'bytes': list(data)} if len(data) <= 40 else found


print(json.dumps({'pillow': PIL.__version__, 'cases': [case(*c) for c in CASES]}).replace('{"from"', '\n{"from"'))
