"""Networks whose results are images or boxes."""

from __future__ import annotations

from collections.abc import Iterator

from .layers import Definition, Occurrence, convolution, output_size

__all__ = ["retinanet", "unet"]


def unet() -> Definition:
    """Figure 1 of the paper: unpadded 3 × 3 convolutions, 2 × 2 up-convolutions."""

    def layers() -> Iterator[Occurrence]:
        size, channels = 572, 1
        for level, filters in enumerate((64, 128, 256, 512, 1024), start=1):
            for step in (1, 2):
                size -= 2
                yield f"down{level}.conv{step}", convolution(channels, filters, 3, size)
                channels = filters
            if level < 5:
                size //= 2
        for level in (4, 3, 2, 1):
            # The four outputs of an input pixel have weights of their own: four filters of 1 x 1.
            yield f"up{level}.upconv", convolution(channels, 4 * channels // 2, 1, size)
            size *= 2
            for step in (1, 2):
                size -= 2
                yield (
                    f"up{level}.conv{step}",
                    convolution(channels if step == 1 else channels // 2, channels // 2, 3, size),
                )
            channels //= 2
        yield "output", convolution(channels, 2, 1, size)

    return Definition(
        "U-Net",
        "U-Net, batch 1, 572 x 572 input of 1 channel, 388 x 388 output of 2 classes: 19 convolutions and 4 "
        "up-convolutions of 2 x 2 and stride 2, each a 1 x 1 convolution with four times the filters.",
        "figure 1 of O. Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI "
        "2015, arXiv:1505.04597",
        tuple(layers()),
    )


def retinanet() -> Definition:
    """ResNet-50 (stride on the first 1 × 1), a feature pyramid P3 to P7, two heads shared by its levels."""
    anchors, classes, width = 9, 80, 256

    def layers() -> Iterator[Occurrence]:
        size = output_size(800, 7, 2)
        yield "backbone.stem.conv1", convolution(3, 64, 7, size, 2)
        size, channels = output_size(size, 3, 2), 64  # max pooling
        stages: list[tuple[int, int]] = []
        for stage, depth in enumerate((3, 4, 6, 3), start=2):
            filters, outputs = 16 << stage, 64 << stage
            for block in range(depth):
                stride, module = (2 if stage > 2 and block == 0 else 1), f"backbone.res{stage}.{block}"
                size = output_size(size, 1, stride)
                yield f"{module}.conv1", convolution(channels, filters, 1, size, stride)
                yield f"{module}.conv2", convolution(filters, filters, 3, size)
                yield f"{module}.conv3", convolution(filters, outputs, 1, size)
                if block == 0:
                    yield f"{module}.shortcut", convolution(channels, outputs, 1, size, stride)
                channels = outputs
            stages.append((size, channels))
        levels = []
        for level, (own, inputs) in enumerate(stages[1:], start=3):
            yield f"fpn.lateral{level}", convolution(inputs, width, 1, own)
            yield f"fpn.output{level}", convolution(width, width, 3, own)
            levels.append(own)
        for level, inputs in ((6, channels), (7, width)):
            levels.append(output_size(levels[-1], 3, 2))
            yield f"fpn.p{level}", convolution(inputs, width, 3, levels[-1], 2)
        for level, own in enumerate(levels, start=3):
            for tower in ("classification", "box"):
                for step in range(4):
                    yield f"head.{tower}.{step}.p{level}", convolution(width, width, 3, own)
            yield f"head.classification.score.p{level}", convolution(width, anchors * classes, 3, own)
            yield f"head.box.delta.p{level}", convolution(width, anchors * 4, 3, own)

    return Definition(
        "RetinaNet",
        "RetinaNet with ResNet-50 and a feature pyramid, batch 1, 800 x 800 input, 80 classes, 9 anchors: 53 "
        "convolutions of the backbone, 8 of the pyramid, 10 of the heads on each of 5 levels.",
        "detectron2 configs/COCO-Detection/retinanet_R_50_FPN_1x.yaml, after T.-Y. Lin et al., Focal Loss for Dense "
        "Object Detection, ICCV 2017, arXiv:1708.02002",
        tuple(layers()),
    )
