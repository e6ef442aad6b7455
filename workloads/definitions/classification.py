"""Networks that classify images of 224 × 224, as torchvision builds them."""

from __future__ import annotations

from collections.abc import Iterator

from .layers import Definition, Occurrence, convolution, output_size, product

__all__ = ["densenet161", "efficientnet_b0", "mobilenet_v2", "resnet18_batch16", "resnext50_32x4d", "vgg16"]

IMAGE_SIZE = 224
CLASSES = 1000


def vgg16() -> Definition:
    """Configuration D: 3 × 3 convolutions, a halving max pooling after each stage."""

    def layers() -> Iterator[Occurrence]:
        size, channels, module = IMAGE_SIZE, 3, 0
        for filters, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(depth):
                yield f"features.{module}", convolution(channels, filters, 3, size)
                channels, module = filters, module + 2  # a ReLU follows
            size, module = size // 2, module + 1
        features = channels * size * size
        for module, outputs in ((0, 4096), (3, 4096), (6, CLASSES)):
            yield f"classifier.{module}", product(1, features, outputs)
            features = outputs

    return Definition(
        "VGG-16",
        "VGG-16 (configuration D), batch 1, 224 x 224 input: 13 convolutions and 3 fully connected layers.",
        "torchvision.models.vgg16, after K. Simonyan and A. Zisserman, Very Deep Convolutional Networks for "
        "Large-Scale Image Recognition, ICLR 2015, arXiv:1409.1556",
        tuple(layers()),
    )


def densenet161() -> Definition:
    """Blocks of 6, 12, 36 and 24 layers that each add 48 channels; a transition halves channels and size."""
    growth, first = 48, 96

    def layers() -> Iterator[Occurrence]:
        size = output_size(IMAGE_SIZE, 7, 2)
        yield "features.conv0", convolution(3, first, 7, size, 2)
        size, channels = output_size(size, 3, 2), first  # max pooling
        depths = (6, 12, 36, 24)
        for block, depth in enumerate(depths, start=1):
            for layer in range(1, depth + 1):
                module = f"features.denseblock{block}.denselayer{layer}"
                yield f"{module}.conv1", convolution(channels, 4 * growth, 1, size)
                yield f"{module}.conv2", convolution(4 * growth, growth, 3, size)
                channels += growth
            if block < len(depths):
                yield f"features.transition{block}.conv", convolution(channels, channels // 2, 1, size)
                size, channels = size // 2, channels // 2
        yield "classifier", product(1, channels, CLASSES)

    return Definition(
        "DenseNet-161",
        "DenseNet-161 (growth 48), batch 1, 224 x 224 input: 160 convolutions and 1 fully connected layer.",
        "torchvision.models.densenet161, after G. Huang et al., Densely Connected Convolutional Networks, CVPR 2017, "
        "arXiv:1608.06993",
        tuple(layers()),
    )


def resnet18_batch16() -> Definition:
    """Two basic blocks of two 3 × 3 convolutions a stage."""
    batch = 16

    def layers() -> Iterator[Occurrence]:
        size = output_size(IMAGE_SIZE, 7, 2)
        yield "conv1", convolution(3, 64, 7, size, 2, batch=batch)
        size, channels = output_size(size, 3, 2), 64  # max pooling
        for stage, filters in enumerate((64, 128, 256, 512), start=1):
            for block in range(2):
                stride = 2 if stage > 1 and block == 0 else 1
                size = output_size(size, 3, stride)
                yield f"layer{stage}.{block}.conv1", convolution(channels, filters, 3, size, stride, batch=batch)
                yield f"layer{stage}.{block}.conv2", convolution(filters, filters, 3, size, batch=batch)
                if stride == 2:
                    module = f"layer{stage}.{block}.downsample.0"
                    yield module, convolution(channels, filters, 1, size, stride, batch=batch)
                channels = filters
        yield "fc", product(1, channels, CLASSES, batch)

    return Definition(
        "ResNet-18 batch 16",
        "ResNet-18, batch 16, 224 x 224 input: 20 convolutions and 1 fully connected layer.",
        "torchvision.models.resnet18, after K. He et al., Deep Residual Learning for Image Recognition, CVPR 2016, "
        "arXiv:1512.03385",
        tuple(layers()),
    )


def resnext50_32x4d() -> Definition:
    """ResNet-50 with 3 × 3 convolutions of 32 groups, of 4 channels each in the first stage."""
    groups = 32

    def layers() -> Iterator[Occurrence]:
        size = output_size(IMAGE_SIZE, 7, 2)
        yield "conv1", convolution(3, 64, 7, size, 2)
        size, channels = output_size(size, 3, 2), 64  # max pooling
        for stage, depth in enumerate((3, 4, 6, 3)):
            width, outputs = groups * 4 << stage, 256 << stage
            for block in range(depth):
                stride = 2 if stage > 0 and block == 0 else 1
                module = f"layer{stage + 1}.{block}"
                yield f"{module}.conv1", convolution(channels, width, 1, size)
                size = output_size(size, 3, stride)
                yield f"{module}.conv2", convolution(width, width, 3, size, stride, groups)
                yield f"{module}.conv3", convolution(width, outputs, 1, size)
                if block == 0:
                    yield f"{module}.downsample.0", convolution(channels, outputs, 1, size, stride)
                channels = outputs
        yield "fc", product(1, channels, CLASSES)

    return Definition(
        "ResNeXt-50 32x4d",
        "ResNeXt-50 32x4d, batch 1, 224 x 224 input: 53 convolutions, 16 of them of 32 groups, and 1 fully connected "
        "layer.",
        "torchvision.models.resnext50_32x4d, after S. Xie et al., Aggregated Residual Transformations for Deep Neural "
        "Networks, CVPR 2017, arXiv:1611.05431",
        tuple(layers()),
    )


def mobilenet_v2() -> Definition:
    """Inverted residuals: expanded by t, a depthwise 3 × 3 convolution, projected to c channels (table 2)."""

    def layers() -> Iterator[Occurrence]:
        size, channels, module = output_size(IMAGE_SIZE, 3, 2), 32, 1
        yield "features.0.0", convolution(3, channels, 3, size, 2)
        for expansion, outputs, repeats, first_stride in (
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ):
            for repeat in range(repeats):
                stride, wide, name = first_stride if repeat == 0 else 1, channels * expansion, f"features.{module}.conv"
                steps = 0
                if expansion > 1:
                    yield f"{name}.0.0", convolution(channels, wide, 1, size)
                    steps = 1
                size = output_size(size, 3, stride)
                yield f"{name}.{steps}.0", convolution(wide, wide, 3, size, stride, groups=wide)
                yield f"{name}.{steps + 1}", convolution(wide, outputs, 1, size)
                channels, module = outputs, module + 1
        yield f"features.{module}.0", convolution(channels, 1280, 1, size)
        yield "classifier.1", product(1, 1280, CLASSES)

    return Definition(
        "MobileNetV2",
        "MobileNetV2 (width 1.0), batch 1, 224 x 224 input: 52 convolutions, 17 of them depthwise, and 1 fully "
        "connected layer.",
        "torchvision.models.mobilenet_v2, after M. Sandler et al., MobileNetV2: Inverted Residuals and Linear "
        "Bottlenecks, CVPR 2018, arXiv:1801.04381",
        tuple(layers()),
    )


def efficientnet_b0() -> Definition:
    """Mobile inverted bottlenecks with squeeze and excitation (table 1)."""

    def layers() -> Iterator[Occurrence]:
        size, channels = output_size(IMAGE_SIZE, 3, 2), 32
        yield "features.0.0", convolution(3, channels, 3, size, 2)
        for stage, (expansion, window, first_stride, outputs, repeats) in enumerate(
            (
                (1, 3, 1, 16, 1),
                (6, 3, 2, 24, 2),
                (6, 5, 2, 40, 2),
                (6, 3, 2, 80, 3),
                (6, 5, 1, 112, 3),
                (6, 5, 2, 192, 4),
                (6, 3, 1, 320, 1),
            ),
            start=1,
        ):
            for repeat in range(repeats):
                stride, wide, name = (
                    first_stride if repeat == 0 else 1,
                    channels * expansion,
                    f"features.{stage}.{repeat}",
                )
                step = 0
                if expansion > 1:
                    yield f"{name}.block.0.0", convolution(channels, wide, 1, size)
                    step = 1
                size = output_size(size, window, stride)
                yield f"{name}.block.{step}.0", convolution(wide, wide, window, size, stride, groups=wide)
                squeezed = channels // 4
                yield f"{name}.block.{step + 1}.fc1", convolution(wide, squeezed, 1, 1)
                yield f"{name}.block.{step + 1}.fc2", convolution(squeezed, wide, 1, 1)
                yield f"{name}.block.{step + 2}.0", convolution(wide, outputs, 1, size)
                channels = outputs
        yield "features.8.0", convolution(channels, 1280, 1, size)
        yield "classifier.1", product(1, 1280, CLASSES)

    return Definition(
        "EfficientNet-B0",
        "EfficientNet-B0, batch 1, 224 x 224 input: 81 convolutions, 16 of them depthwise and 32 of squeeze and "
        "excitation, and 1 fully connected layer.",
        "torchvision.models.efficientnet_b0, after M. Tan and Q. Le, EfficientNet: Rethinking Model Scaling for "
        "Convolutional Neural Networks, ICML 2019, arXiv:1905.11946",
        tuple(layers()),
    )
